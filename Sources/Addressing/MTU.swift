/// How many bytes one frame of a link may carry.
public struct MTU: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The size in bytes: 68 to 65535.
  public let bytes: Int

  /// Takes a size that an interface for IP can have.
  ///
  /// The least is what IPv4 asks of every link (RFC 791); the most is what the length field of an
  /// IP packet can say. A driver may allow less.
  public init(_ bytes: Int) throws(AddressParseError) {
    guard 68...65535 ~= bytes else {
      throw AddressParseError(
        text: "\(bytes)", reason: "an MTU lies between 68 and 65535 bytes")
    }
    self.bytes = bytes
  }

  private init(known bytes: Int) { self.bytes = bytes }

  /// What every link must carry for IPv6. RFC 8200, section 5
  public static var leastForIPv6: MTU { MTU(known: 1280) }

  /// Whether the left one is smaller.
  public static func < (left: MTU, right: MTU) -> Bool { left.bytes < right.bytes }

  /// The number of bytes.
  public var description: String { "\(bytes)" }
}
