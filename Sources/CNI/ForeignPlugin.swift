internal import JSON
internal import Linux

/// A plugin in another file, executed as a runtime would do it.
struct ForeignPlugin: Sendable {
  /// Its name.
  let name: String
  /// Where it lies.
  let path: String
  /// What we are asked ourselves: its input and its environment, but for the command.
  let request: Request

  /// Asks for a command.
  ///
  /// - Returns: what it wrote to standard output.
  /// - Throws: ``ProtocolError``: its own error with its own code, or why there is none.
  func run(_ command: Command) throws(ProtocolError) -> [UInt8] {
    var environment = request.invocation.environment
    environment[Variable.command.rawValue] = command.rawValue
    let outcome = try execute(in: environment)
    if !outcome.diagnostics.isEmpty {
      request.writeLog(String(decoding: outcome.diagnostics, as: UTF8.self))
    }
    guard outcome.isSuccess else { throw ProtocolError(printedBy: outcome) }
    return outcome.output
  }

  /// Reads what it answered to ADD.
  func result(_ output: [UInt8]) throws(ProtocolError) -> PluginResult {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(output)
    } catch {
      throw ProtocolError(
        .decodingFailure, "cannot read the result of plugin \(name.inQuotes): \(error)")
    }
    guard let document = value.objectValue else {
      throw ProtocolError(
        .decodingFailure, "cannot read the result of plugin \(name.inQuotes): no object")
    }
    return try PluginResult(printed: document, orElse: request.configuration.version)
  }

  private func execute(
    in environment: Environment
  ) throws(ProtocolError) -> ChildProcess.Outcome {
    do throws(SystemError) {
      return try ExecutedPlugin.run(
        path, environment: environment, input: request.delegation.input,
        limits: ChildProcess.Limits(
          output: PluginMain.inputLimit, time: request.delegation.patience))
    } catch {
      switch error.errno {
      case .textFileBusy, .timedOut:
        throw ProtocolError(.tryAgainLater, "plugin \(name.inQuotes): \(error)")
      default: throw ProtocolError(.ioFailure, "plugin \(name.inQuotes): \(error)")
      }
    }
  }
}
