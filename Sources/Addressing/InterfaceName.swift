/// The name of a network interface; a value of this type is one that the kernel accepts.
public struct InterfaceName: Hashable, Sendable, CustomStringConvertible {
  /// The name: 1 to 15 bytes.
  public let text: String

  /// Takes a name by the kernel's rules.
  ///
  /// Refused besides: `%`, which the kernel would read as a pattern and complete with a number, so
  /// that the interface came out under another name.
  ///
  /// `dev_valid_name`, `IFNAMSIZ`
  public init(_ text: String) throws(AddressParseError) {
    guard !text.isEmpty else {
      throw AddressParseError(text: text, reason: "interface name is empty")
    }
    guard text.utf8.count < 16 else {
      throw AddressParseError(text: text, reason: "interface name is too long", offset: 15)
    }
    guard text != ".", text != ".." else {
      throw AddressParseError(text: text, reason: "interface name is . or ..")
    }
    for (offset, byte) in text.utf8.enumerated() {
      switch byte {
      // 0xa0 is a space to the kernel, which reads bytes as Latin-1.
      case UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: " "), 0x09...0x0d, 0xa0:
        throw AddressParseError(
          text: text, reason: "interface name contains / or : or whitespace characters",
          offset: offset)
      case 0, UInt8(ascii: "%"):
        throw AddressParseError(
          text: text, reason: "interface name contains % or NUL", offset: offset)
      default: continue
      }
    }
    self.text = text
  }

  private init(unchecked text: String) {
    self.text = text
  }

  /// A name for a link that is spoken of, and never stays.
  public static let placeholder = InterfaceName(unchecked: "swift-cni-probe")

  /// The name itself.
  public var description: String { text }
}
