import JSON
import Linux

/// Whether an answer is one that the specification knows.
enum AnswerJudge {
  /// Looks at an answer.
  ///
  /// - Parameters:
  ///   - outcome: how the program ended, and what it said.
  ///   - command: what `CNI_COMMAND` said.
  /// - Returns: what is wrong; nil when nothing is.
  static func complaint(about outcome: ChildProcess.Outcome, to command: String?) -> String? {
    switch outcome.end {
    case .signalled(let number): return "ended by signal \(number)"
    case .exited(0): return complaint(aboutSuccess: outcome.output, of: command)
    case .exited(1): return complaint(aboutError: outcome.output)
    case .exited(let code): return "exit code \(code)"
    }
  }

  private static func complaint(aboutSuccess output: [UInt8], of command: String?) -> String? {
    switch command {
    case "ADD":
      guard let result = object(in: output) else { return "success, but the result is no object" }
      return result["code"] == nil ? nil : "success that prints an error"
    case "VERSION":
      return object(in: output)?["supportedVersions"]?.listValue == nil ? "no versions" : nil
    case "DEL", "CHECK", "GC", "STATUS", "", nil:
      return output.isEmpty ? nil : "a success that has nothing to say, but speaks"
    default: return "success of a command that does not exist"
    }
  }

  private static func complaint(aboutError output: [UInt8]) -> String? {
    guard let error = object(in: output) else { return "an error without one object" }
    guard let code = error["code"]?.integerValue, code > 0 else { return "an error without code" }
    guard let message = error["msg"]?.textValue, !message.isEmpty else {
      return "an error without msg"
    }
    return error["cniVersion"]?.textValue == nil ? "an error without cniVersion" : nil
  }

  private static func object(in output: [UInt8]) -> JSONObject? {
    do {
      return try JSONParser.parse(output).objectValue
    } catch {
      return nil
    }
  }
}
