/// An address as an interface carries it: with the length of its network's prefix.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
  /// The address, host bits kept.
  public let address: IPAddress
  /// How many leading bits name the network on the link.
  public let prefix: Prefix

  /// Reads `10.1.2.3/24`.
  public init(_ text: String) throws(AddressParseError) {
    (address, prefix) = try Prefix.parse(text)
  }

  /// Puts an address and a prefix together.
  ///
  /// - Precondition: both are of one family.
  public init(address: IPAddress, prefix: Prefix) {
    precondition(address.family == prefix.family, "an address and a prefix of two families")
    self.address = address
    self.prefix = prefix
  }

  /// The family of the address.
  public var family: IPFamily { address.family }

  /// The network that the address lies in.
  public var subnet: Subnet { Subnet(containing: address, prefix: prefix) }

  /// The IPv4 address that means all hosts of the network.
  ///
  /// IPv6 has none, and networks of one or two addresses have no room for one (RFC 3021).
  public var broadcast: IPv4Address? {
    guard prefix.length <= 30, case .v4(let last) = subnet.last else { return nil }
    return last
  }

  /// Address and prefix length: `10.1.2.3/24`.
  public var description: String { "\(address)/\(prefix.length)" }
}
