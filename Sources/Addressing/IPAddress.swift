/// An address of either family.
public enum IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  case v4(IPv4Address)
  case v6(IPv6Address)

  /// Reads an address of either family, strictly.
  ///
  /// Refused are leading zeros, zones, and IPv4-mapped IPv6 addresses: an address has one spelling
  /// here, so that what was checked is what is used.
  public init(_ text: String) throws(AddressParseError) {
    guard text.utf8.contains(UInt8(ascii: ":")) else {
      self = .v4(try IPv4Address(text))
      return
    }
    let address = try IPv6Address(text)
    guard address.mapped == nil else {
      throw AddressParseError(
        text: text, reason: "an IPv4 address must not be written as an IPv6 address")
    }
    self = .v6(address)
  }

  /// Makes an address of 4 or 16 bytes in network order; any other count has no address.
  public init?(bytes: some Collection<UInt8>) {
    let bits = bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    switch bytes.count {
    case 4: self.init(bits: bits, family: .v4)
    case 16: self.init(bits: bits, family: .v6)
    default: return nil
    }
  }

  /// Makes the address with this number; of an IPv4 address the low 32 bits count.
  public init(bits: UInt128, family: IPFamily) {
    switch family {
    case .v4: self = .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits)))
    case .v6: self = .v6(IPv6Address(bits: bits))
    }
  }

  /// The family it belongs to.
  public var family: IPFamily {
    switch self {
    case .v4: .v4
    case .v6: .v6
    }
  }

  /// The address as a number, in the low bits.
  public var bits: UInt128 {
    switch self {
    case .v4(let address): UInt128(address.bits)
    case .v6(let address): address.bits
    }
  }

  /// The 4 or 16 bytes in network order.
  public var bytes: [UInt8] {
    switch self {
    case .v4(let address): address.bytes
    case .v6(let address): address.bytes
    }
  }

  /// The address after this one; nothing follows the last of the family.
  public func next() -> IPAddress? {
    bits == family.allOnes ? nil : IPAddress(bits: bits + 1, family: family)
  }

  /// The address before this one; nothing precedes the first of the family.
  public func previous() -> IPAddress? {
    bits == 0 ? nil : IPAddress(bits: bits - 1, family: family)
  }

  /// IPv4 before IPv6, then by number.
  public static func < (left: IPAddress, right: IPAddress) -> Bool {
    left.family == right.family ? left.bits < right.bits : left.family == .v4
  }

  /// The text of the family: dotted decimal, or as RFC 5952 recommends.
  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}
