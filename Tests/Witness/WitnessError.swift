/// Why the kernel could not be read back: which question, and the errno it ended with.
///
/// A witness that cannot see says so; an empty list always means that there is nothing.
public struct WitnessError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was asked, such as `list links`.
  public let question: String
  /// The kernel's error number, positive; 0 when the answer itself made no sense.
  public let code: Int32
  /// What else is known.
  public let detail: String

  /// One line for a failing test.
  public var description: String {
    "witness: \(question): errno \(code)\(detail.isEmpty ? "" : ": \(detail)")"
  }

  init(_ question: String, code: Int32, detail: String = "") {
    self.question = question
    self.code = code
    self.detail = detail
  }
}
