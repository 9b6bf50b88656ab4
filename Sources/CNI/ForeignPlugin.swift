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
    guard outcome.isSuccess else { throw failure(outcome) }
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

  /// Executes it; a file that is just being written is tried again for five seconds, as upstream
  /// does.
  private func execute(
    in environment: Environment
  ) throws(ProtocolError) -> ChildProcess.Outcome {
    let limits = ChildProcess.Limits(
      output: PluginMain.inputLimit, time: request.delegation.patience)
    for attempt in 0... {
      do throws(SystemError) {
        return try ChildProcess.run(
          path, environment: environment, input: request.delegation.input, limits: limits)
      } catch {
        switch error.errno {
        case .textFileBusy where attempt < 50: MonotonicTime.sleep(for: .milliseconds(100))
        case .textFileBusy, .timedOut:
          throw ProtocolError(.tryAgainLater, "plugin \(name.inQuotes): \(error)")
        default: throw ProtocolError(.ioFailure, "plugin \(name.inQuotes): \(error)")
        }
      }
    }
    throw ProtocolError(.internalFailure, "an endless loop has ended")
  }

  /// Its error, in upstream's words where it has none of its own.
  private func failure(_ outcome: ChildProcess.Outcome) -> ProtocolError {
    guard !outcome.output.isEmpty else {
      guard outcome.diagnostics.isEmpty else {
        let words = String(decoding: outcome.diagnostics, as: UTF8.self)
        return ProtocolError(.internalFailure, "netplugin failed: \(words.inQuotes)")
      }
      return ProtocolError(
        .internalFailure, "netplugin failed with no error message: \(outcome.end.words)")
    }
    do throws(ProtocolError) {
      return try ProtocolError(printed: outcome.output)
    } catch {
      let words = String(decoding: outcome.output, as: UTF8.self)
      return ProtocolError(
        .internalFailure,
        "netplugin failed but error parsing its diagnostic message \(words.inQuotes): "
          + error.message)
    }
  }
}

extension ProtocolError {
  /// Reads the error object that a plugin has printed.
  ///
  /// - Throws: another ``ProtocolError`` of code 6 when it is none.
  public init(printed bytes: [UInt8]) throws(ProtocolError) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes)
    } catch {
      throw ProtocolError(error)
    }
    guard let document = value.objectValue else {
      throw ProtocolError(.decodingFailure, "expected an object")
    }
    self = try JSONFields(document).read { fields throws(JSONFieldError) in
      // A plugin that names no number has at least failed.
      let number = try fields.integer("code").flatMap { $0 == 0 ? nil : $0 }
      return ProtocolError(
        number.map(Code.init(rawValue:)) ?? .internalFailure, try fields.text("msg") ?? "",
        details: try fields.text("details") ?? "")
    }
  }
}

extension ChildProcess.End {
  /// As Go says it, since people search for these words.
  fileprivate var words: String {
    switch self {
    case .exited(let code): "exit status \(code)"
    case .signalled(let number): "signal: \(signalWords(number))"
    }
  }
}

private func signalWords(_ number: Int32) -> String {
  switch number {
  case 4: "illegal instruction"
  case 5: "trace/breakpoint trap"
  case 6: "aborted"
  case 9: "killed"
  case 11: "segmentation fault"
  case 13: "broken pipe"
  case 15: "terminated"
  default: "signal \(number)"
  }
}
