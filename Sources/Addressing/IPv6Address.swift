/// An IPv6 address: 128 bits, without a zone.
public struct IPv6Address: Hashable, Comparable, Sendable {
  /// The address as a number, first group most significant.
  public let bits: UInt128

  /// Makes the address with this number.
  public init(bits: UInt128) {
    self.bits = bits
  }

  /// The sixteen bytes in network order.
  public var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: bits >> (120 - 8 * $0)) }
  }

  /// The eight 16-bit groups in network order.
  public var groups: [UInt16] {
    (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
  }

  /// The IPv4 address that this one wraps, when it is of the form `::ffff:a.b.c.d`.
  ///
  /// RFC 4291, section 2.5.5.2: IPv4-mapped IPv6 address.
  public var mapped: IPv4Address? {
    bits >> 32 == 0xffff ? IPv4Address(bits: UInt32(truncatingIfNeeded: bits)) : nil
  }

  /// Whether the left address is the smaller number.
  public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
    left.bits < right.bits
  }
}
