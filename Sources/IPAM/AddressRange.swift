public import Addressing

/// A run of addresses inside a subnet that containers may be given, and the gateway they use.
///
/// A value of this type is one that can be allocated from.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  /// The network whose prefix length the containers get.
  public let subnet: Subnet
  /// The first address that may be given out.
  public let first: IPAddress
  /// The last address that may be given out.
  public let last: IPAddress
  /// The router of the subnet, which is never given out; it need not lie inside the subnet.
  public let gateway: IPAddress

  /// Makes a range, filling in what is left open.
  ///
  /// - Parameters:
  ///   - subnet: the network.
  ///   - first: the first address; the one after the network's own when nil.
  ///   - last: the last address; when nil the one before the broadcast address in IPv4, the last of
  ///     the network in IPv6.
  ///   - gateway: the router; the one after the network's own address when nil.
  /// - Throws: ``AddressRangeError``, when there is nothing sane to allocate.
  public init(
    subnet: Subnet, first: IPAddress? = nil, last: IPAddress? = nil, gateway: IPAddress? = nil
  ) throws(AddressRangeError) {
    try Self.check(subnet)
    // With four addresses at least, neither sum can leave the subnet.
    let second = IPAddress(bits: subnet.first.bits + 1, family: subnet.family)
    let lastHost =
      subnet.family == .v4
      ? IPAddress(bits: subnet.last.bits - 1, family: .v4) : subnet.last

    let start = first ?? second
    guard subnet.contains(start) else { throw .startOutside(start, subnet) }
    let end = last ?? lastHost
    guard subnet.contains(end) else { throw .endOutside(end, subnet) }
    guard start <= end else { throw .endBeforeStart(end, subnet, start: start) }
    let router = gateway ?? second
    try Self.check(gateway: router, of: subnet)

    self.subnet = subnet
    self.first = start
    self.last = end
    self.gateway = router
  }

  private static func check(_ subnet: Subnet) throws(AddressRangeError) {
    guard subnet.prefix.length <= subnet.family.bitWidth - 2 else { throw .tooSmall(subnet) }
    for (special, meaning) in SpecialAddresses.all {
      if special.family == subnet.family, special.overlaps(subnet) {
        throw .notForInterfaces(subnet, meaning)
      }
    }
  }

  private static func check(
    gateway: IPAddress, of subnet: Subnet
  ) throws(AddressRangeError) {
    guard gateway.family == subnet.family else { throw .gatewayOfOtherFamily(gateway, subnet) }
    for (special, meaning) in SpecialAddresses.all where special.contains(gateway) {
      throw .notAGateway(gateway, meaning)
    }
  }

  /// Whether the address may be given out of this range; the gateway lies in it like any other.
  public func contains(_ address: IPAddress) -> Bool {
    address.family == subnet.family && first <= address && address <= last
  }

  /// Whether the two ranges share an address.
  public func overlaps(_ other: AddressRange) -> Bool {
    subnet.family == other.subnet.family && first <= other.last && other.first <= last
  }

  /// How many addresses there are to give out, not counting the gateway.
  public var capacity: UInt128 {
    let count = last.bits - first.bits
    // One more than the difference, one less for the gateway; without it "::/0" would overflow.
    return contains(gateway) ? count : count + 1
  }

  /// First and last address: `10.1.2.2-10.1.2.254`.
  public var description: String { "\(first)-\(last)" }
}
