internal import JSON
package import Linux

/// A plugin that is executed, by another plugin or by a runtime, and what it has said.
package enum ExecutedPlugin {
  /// Executes a plugin's file; one that is just being written is tried again for five seconds, as
  /// upstream does.
  ///
  /// - Throws: `SystemError` as `ChildProcess.run` does.
  package static func run(
    _ path: String, environment: Environment, input: [UInt8], limits: ChildProcess.Limits
  ) throws(SystemError) -> ChildProcess.Outcome {
    var attempt = 0
    while true {
      do {
        return try ChildProcess.run(path, environment: environment, input: input, limits: limits)
      } catch {
        guard error.errno == .textFileBusy, attempt < 50 else { throw error }
        attempt += 1
        MonotonicTime.sleep(for: .milliseconds(100))
      }
    }
  }
}

extension ProtocolError {
  /// The error of a plugin that has failed, in upstream's words where it has none of its own.
  package init(printedBy outcome: ChildProcess.Outcome) {
    guard !outcome.output.isEmpty else {
      let complaint = String(decoding: outcome.diagnostics, as: UTF8.self)
      self.init(
        .internalFailure,
        complaint.isEmpty
          ? "netplugin failed with no error message: \(outcome.end.words)"
          : "netplugin failed: \(complaint.inQuotes)")
      return
    }
    do throws(ProtocolError) {
      self = try ProtocolError(printed: outcome.output)
    } catch {
      let words = String(decoding: outcome.output, as: UTF8.self)
      self.init(
        .internalFailure,
        "netplugin failed but error parsing its diagnostic message \(words.inQuotes): "
          + error.message)
    }
  }

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
