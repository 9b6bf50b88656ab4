import JSON
import Linux

/// What a plugin may answer when something went wrong in it.
enum FaultAnswer {
  /// How a disturbed program ended.
  enum Verdict: Hashable, Sendable {
    /// With success, as the specification has it.
    case success
    /// With one error object.
    case refusal
    /// By the signal that it was sent, or of want of memory.
    case death
    /// With an exit code, but not a word, since it could not speak.
    case mute
    /// As no plugin may end.
    case fault(String)
  }

  /// Judges how a plugin ended.
  ///
  /// - Parameters:
  ///   - outcome: how it ended.
  ///   - hasResult: whether a success prints a result.
  ///   - fault: what was done to it.
  /// - Returns: what to think of it.
  static func verdict(
    on outcome: ChildProcess.Outcome, hasResult: Bool, _ fault: Fault
  ) -> Verdict {
    switch outcome.end {
    case .signalled(let signal):
      if signal == 9, fault.kind == .kill || fault.isOfMemory { return .death }
      if fault.isOfMemory || fault.isOfNamespace { return .death }
      return .fault("dies of signal \(signal): \(text(outcome.diagnostics))")
    case .exited(0):
      let isWhole = hasResult ? document(outcome)?["cniVersion"] != nil : outcome.output.isEmpty
      return isWhole ? .success : .fault("succeeds and prints: \(text(outcome.output))")
    case .exited(let code):
      let answer = document(outcome)
      if answer?["code"]?.integerValue != nil, answer?["msg"]?.textValue != nil {
        return .refusal
      }
      return fault.isMuting
        ? .mute : .fault("ends with \(code) and prints: \(text(outcome.output))")
    }
  }

  /// Judges how a command for people ended, which speaks in sentences.
  static func verdict(onCommand outcome: ChildProcess.Outcome, _ fault: Fault) -> Verdict {
    switch outcome.end {
    case .exited(0): .success
    case .exited: outcome.diagnostics.isEmpty ? .mute : .refusal
    case .signalled(9) where fault.kind == .kill: .death
    case .signalled(let signal):
      fault.isOfMemory
        ? .death : .fault("dies of signal \(signal): \(text(outcome.diagnostics))")
    }
  }

  /// Whether a plugin says that it may succeed later: code 11 of the specification.
  static func isToBeTriedAgain(_ outcome: ChildProcess.Outcome) -> Bool {
    !outcome.isSuccess && document(outcome)?["code"]?.integerValue == 11
  }

  private static func document(_ outcome: ChildProcess.Outcome) -> JSONObject? {
    do {
      return try JSONParser.parse(outcome.output).objectValue
    } catch {
      return nil
    }
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
