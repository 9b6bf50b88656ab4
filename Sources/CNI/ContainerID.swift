/// The name a runtime has given to a container.
///
/// It becomes part of paths, chain names and comments, so it is valid or it does not exist: a
/// letter or digit of ASCII, then letters, digits, `_`, `.` and `-`.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
  /// The name itself.
  public let text: String

  /// Takes a name by the specification's rule.
  ///
  /// - Throws: ``ProtocolError`` of code 4, or 3 if there is no name at all.
  public init(_ text: String) throws(ProtocolError) {
    guard !text.isEmpty else {
      throw ProtocolError(.unknownContainer, "missing containerID")
    }
    guard isIdentifier(text) else {
      throw ProtocolError(
        .invalidEnvironment, "invalid characters in containerID", details: text)
    }
    self.text = text
  }

  /// The name itself.
  public var description: String { text }
}

/// Whether a text fits `^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$`, the specification's rule for names.
func isIdentifier(_ text: String) -> Bool {
  guard let first = text.utf8.first, isLetterOrDigit(first) else { return false }
  return text.utf8.allSatisfy { byte in
    isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
      || byte == UInt8(ascii: "-")
  }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "a")...UInt8(ascii: "z"):
    true
  default: false
  }
}
