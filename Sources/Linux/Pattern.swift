internal import Glibc

/// An extended regular expression, as the C library understands it.
///
/// For lists that an administrator writes, since the standard library's own expressions would double
/// the size of the program. Bytes are compared, whatever the locale. Kernel name: none; POSIX.1,
/// section 9.4, `REG_EXTENDED`.
@safe public struct Pattern: ~Copyable {
  private let compiled: regex_t

  /// Reads an expression.
  ///
  /// - Parameter text: the expression.
  /// - Throws: ``PatternError`` with the C library's reason.
  public init(_ text: String) throws(PatternError) {
    // The C library would take the rest for nothing.
    guard !text.utf8.contains(0) else { throw PatternError(text: text, reason: "holds a NUL") }
    var raw = unsafe regex_t()
    let refusal = unsafe regcomp(&raw, text, REG_EXTENDED | REG_NOSUB)
    guard refusal == 0 else {
      var reason = [CChar](repeating: 0, count: 128)
      _ = unsafe regerror(refusal, &raw, &reason, reason.count)
      throw PatternError(
        text: text,
        reason: String(
          decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    unsafe compiled = raw
  }

  deinit {
    var raw = unsafe compiled
    unsafe regfree(&raw)
  }

  /// Whether the expression fits a part of a text, which it need not begin or end with.
  ///
  /// A text with a NUL in it fits nothing; neither does one for which the memory does not suffice.
  ///
  /// - Parameter text: the text.
  /// - Returns: whether it fits.
  public borrowing func fits(_ text: String) -> Bool {
    guard !text.utf8.contains(0) else { return false }
    var raw = unsafe compiled
    return unsafe regexec(&raw, text, 0, nil, 0) == 0
  }
}

/// Why a text is no regular expression.
public struct PatternError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The text.
  public let text: String
  /// What is wrong with it.
  public let reason: String

  /// A text that cannot be taken.
  public init(text: String, reason: String) {
    self.text = text
    self.reason = reason
  }

  /// The text in quotes and the reason.
  public var description: String { "\"\(text)\" is no regular expression: \(reason)" }
}
