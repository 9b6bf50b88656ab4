/// What tells all hosts of a link, unasked, which hardware address an IP address has now.
///
/// Those who remember another one for the address take the new one; those who do not know the address
/// remain so. For IPv4 it is a gratuitous ARP request, for IPv6 an unsolicited neighbour advertisement.
///
/// RFC 5227, section 3; RFC 4861, section 7.2.6.
public struct NeighbourAnnouncement: Hashable, Sendable {
  /// What the frame carries: 0x0806 for ARP, 0x86dd for IPv6. `ETH_P_…`
  public let etherType: UInt16
  /// To whom it goes: all hosts, or all that have IPv6.
  public let destination: HardwareAddress
  /// What follows the frame's header.
  public let payload: [UInt8]

  /// Announces who has an address.
  public init(of address: IPAddress, at hardware: HardwareAddress) {
    switch address {
    case .v4(let address):
      etherType = 0x0806
      destination = Self.everybody
      payload = Self.request(address, hardware)
    case .v6(let address):
      etherType = 0x86dd
      destination = Self.everybodyWithIPv6
      payload = Self.advertisement(address, hardware)
    }
  }

  private static let everybody = hardware([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
  private static let everybodyWithIPv6 = hardware([0x33, 0x33, 0, 0, 0, 1])

  private static func hardware(_ bytes: [UInt8]) -> HardwareAddress {
    HardwareAddress(bytes: bytes) ?? .zero
  }

  /// An ARP request for the sender's own address. RFC 826
  private static func request(_ address: IPv4Address, _ hardware: HardwareAddress) -> [UInt8] {
    let ethernetAndIPv4: [UInt8] = [0, 1, 8, 0, 6, 4]
    let operation: [UInt8] = [0, 1]
    return ethernetAndIPv4 + operation + hardware.bytes + address.bytes
      + HardwareAddress.zero.bytes + address.bytes
  }

  /// A neighbour advertisement that overrides what is known, from the address to all nodes.
  private static func advertisement(
    _ address: IPv6Address, _ hardware: HardwareAddress
  ) -> [UInt8] {
    let allNodes = IPv6Address(bits: 0xff02 << 112 | 1)
    let protocolNumber: UInt8 = 58
    var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0]
    message += address.bytes + [2, 1] + hardware.bytes
    let length = UInt8(message.count)
    let pseudoHeader = address.bytes + allNodes.bytes + [0, 0, 0, length, 0, 0, 0, protocolNumber]
    let sum = InternetChecksum.of(pseudoHeader + message)
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(truncatingIfNeeded: sum)
    // Neighbours take no message that a router may have passed on, so the hop limit is the highest.
    let header: [UInt8] = [0x60, 0, 0, 0, 0, length, protocolNumber, 255]
    return header + address.bytes + allNodes.bytes + message
  }
}
