/// A network: all addresses that share their leading bits.
public struct Subnet: Hashable, Sendable, CustomStringConvertible {
  /// The lowest address; its host bits are zero.
  public let first: IPAddress
  /// How many leading bits are shared.
  public let prefix: Prefix

  /// Reads `10.1.2.0/24`; a text with host bits set is refused, since it may be a slip.
  public init(_ text: String) throws(AddressParseError) {
    let (address, prefix) = try Prefix.parse(text)
    self.init(containing: address, prefix: prefix)
    guard first == address else {
      throw AddressParseError(
        text: text, reason: "host bits are set; the network is \(self)")
    }
  }

  /// Makes the network that an address lies in; host bits are dropped.
  ///
  /// - Precondition: `address` and `prefix` are of one family.
  public init(containing address: IPAddress, prefix: Prefix) {
    precondition(address.family == prefix.family, "an address and a prefix of two families")
    first = IPAddress(bits: address.bits & prefix.mask, family: address.family)
    self.prefix = prefix
  }

  /// All addresses of a family: 0.0.0.0/0 or ::/0, which a default route leads to.
  public static func everything(_ family: IPFamily) -> Subnet {
    Subnet(
      containing: IPAddress(bits: 0, family: family), prefix: Prefix(unchecked: 0, family: family))
  }

  /// All groups of hosts of a family: 224.0.0.0/4 or ff00::/8.
  public static func multicast(_ family: IPFamily) -> Subnet {
    let (bits, length): (UInt128, Int) =
      switch family {
      case .v4: (0xe000_0000, 4)
      case .v6: (0xff << 120, 8)
      }
    return Subnet(
      containing: IPAddress(bits: bits, family: family),
      prefix: Prefix(unchecked: length, family: family))
  }

  /// Whether it holds every address of its family.
  public var isEverything: Bool { prefix.length == 0 }

  /// The family of its addresses.
  public var family: IPFamily { prefix.family }

  /// The highest address, which in IPv4 is the broadcast address.
  public var last: IPAddress {
    IPAddress(bits: first.bits | prefix.hostMask, family: family)
  }

  /// Whether the address lies in this network.
  public func contains(_ address: IPAddress) -> Bool {
    address.family == family && address.bits & prefix.mask == first.bits
  }

  /// Whether the whole other network lies in this one.
  public func contains(_ other: Subnet) -> Bool {
    prefix.length <= other.prefix.length && contains(other.first)
  }

  /// Whether the two networks share an address.
  public func overlaps(_ other: Subnet) -> Bool {
    contains(other) || other.contains(self)
  }

  /// Lowest address and prefix length: `10.1.2.0/24`.
  public var description: String { "\(first)/\(prefix.length)" }
}
