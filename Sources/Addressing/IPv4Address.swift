/// An IPv4 address: 32 bits.
public struct IPv4Address: Hashable, Comparable, Sendable {
  /// The address as a number, most significant octet first (host byte order).
  public let bits: UInt32

  /// Makes the address with this number.
  public init(bits: UInt32) {
    self.bits = bits
  }

  /// Makes the address `a.b.c.d`.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// The four octets in network order.
  public var bytes: [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
  }

  /// Whether the left address is the smaller number.
  public static func < (left: IPv4Address, right: IPv4Address) -> Bool {
    left.bits < right.bits
  }
}
