/// The six-byte address of a network interface on its link.
public struct HardwareAddress: Hashable, Sendable, CustomStringConvertible {
  /// The six bytes in the order they are written.
  public let bytes: [UInt8]

  /// The address that means none.
  public static let zero = HardwareAddress(unchecked: [UInt8](repeating: 0, count: 6))

  private init(unchecked bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Makes an address of exactly six bytes.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == 6 else { return nil }
    self.bytes = Array(bytes)
  }

  /// Reads `02:00:5e:00:53:01`, `02-00-5e-00-53-01` or `0200.5e00.5301`, in either case.
  public init(_ text: String) throws(AddressParseError) {
    let characters = Array(text.utf8)
    let isDotted = characters.count == 14
    let step = isDotted ? 4 : 2
    let separators: [UInt8] =
      isDotted ? [UInt8(ascii: ".")] : [UInt8(ascii: ":"), UInt8(ascii: "-")]
    guard isDotted || characters.count == 17 else {
      throw AddressParseError(
        text: text, reason: "a hardware address is six bytes, as in \"02:00:5e:00:53:01\"",
        offset: min(characters.count, 17))
    }
    var bytes: [UInt8] = []
    var high: UInt8?
    for (position, character) in characters.enumerated() {
      if position % (step + 1) == step {
        // The first separator decides; a mixture is a slip.
        guard separators.contains(character), character == characters[step] else {
          throw AddressParseError(text: text, reason: "a separator is expected", offset: position)
        }
        continue
      }
      guard let digit = character.hexadecimalDigit else {
        throw AddressParseError(
          text: text, reason: "a hexadecimal digit is expected", offset: position)
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    self.bytes = bytes
  }

  /// Makes an address of one's own from the first six bytes of a digest.
  ///
  /// The bits of the first byte say so: locally administered, and of a single interface
  /// (IEEE 802, section 8.4). A digest that is too short is filled up with zeros.
  public static func locallyAdministered(from digest: [UInt8]) -> HardwareAddress {
    var bytes = Array(digest.prefix(6))
    bytes += [UInt8](repeating: 0, count: 6 - bytes.count)
    bytes[0] = bytes[0] & 0xfe | 0x02
    return HardwareAddress(unchecked: bytes)
  }

  /// Whether it means a group of interfaces; an interface itself cannot have such an address.
  public var isMulticast: Bool { bytes[0] & 1 == 1 }

  /// Lower-case pairs of digits with colons.
  public var description: String {
    bytes.hexadecimalText(separatedBy: UInt8(ascii: ":"))
  }
}
