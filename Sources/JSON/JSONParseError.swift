/// Why a text is not JSON, and at which byte that shows.
public struct JSONParseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the text.
  public enum Problem: Hashable, Sendable {
    /// Another byte stands where something else had to.
    case unexpected(byte: UInt8, expected: String)
    /// The text ends before the value does.
    case unexpectedEnd(expected: String)
    /// Something follows the value.
    case trailingBytes
    /// A control character stands in a string without being escaped.
    case controlCharacter(UInt8)
    /// A string is not UTF-8.
    case invalidUTF8
    /// Half of a surrogate pair stands alone.
    case loneSurrogate
    /// More levels than allowed.
    case tooDeep(limit: Int)
    /// More bytes than allowed.
    case tooLong(limit: Int)
  }

  /// What is wrong.
  public let problem: Problem
  /// Where, in bytes from the beginning.
  public let offset: Int

  /// A problem at a byte.
  public init(problem: Problem, offset: Int) {
    self.problem = problem
    self.offset = offset
  }

  /// The problem and the byte where it shows, for readers.
  public var description: String {
    switch problem {
    case .unexpected(let byte, let expected):
      "expected \(expected) but found \(name(of: byte)) at byte \(offset)"
    case .unexpectedEnd(let expected):
      "expected \(expected) but the text ends at byte \(offset)"
    case .trailingBytes:
      "something follows the value at byte \(offset)"
    case .controlCharacter(let byte):
      "unescaped control character \(name(of: byte)) in a string at byte \(offset)"
    case .invalidUTF8:
      "string is not UTF-8 at byte \(offset)"
    case .loneSurrogate:
      "half of a surrogate pair stands alone at byte \(offset)"
    case .tooDeep(let limit):
      "more than \(limit) levels of nesting at byte \(offset)"
    case .tooLong(let limit):
      "more than \(limit) bytes"
    }
  }
}

private func name(of byte: UInt8) -> String {
  if (0x21...0x7e).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
  let digits = String(byte, radix: 16)
  return digits.count == 1 ? "0x0\(digits)" : "0x\(digits)"
}
