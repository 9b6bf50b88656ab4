public import Addressing
public import CNI
internal import Linux
public import RouteNetlink

/// Tells the neighbours of a link who has an address now.
///
/// An address that is used again would otherwise stay unreachable for as long as its neighbours
/// remember the hardware address of its last owner. Neighbours who do not know the address are left
/// as they are.
public enum AddressAnnouncement {
  /// Announces a link's addresses out of that link.
  ///
  /// That it cannot be done is told on stderr and no reason for an ADD to fail.
  public static func send(
    _ addresses: [ResultAddress], from link: Link, in worlds: borrowing HostAndContainer
  ) {
    guard !addresses.isEmpty, let hardware = link.hardwareAddress else { return }
    do {
      try worlds.namespace.run { () throws(SystemError) in
        let socket = try PacketSocket()
        for address in addresses {
          try socket.send(
            frame(for: address.address.address, at: hardware), throughLink: link.index)
        }
      }
    } catch {
      StandardStreams.writeDiagnostics("addresses of \(link.name) are not announced: \(error)\n")
    }
  }

  /// The frame that announces an address: a gratuitous ARP request, or an unsolicited neighbour
  /// advertisement to all nodes that overrides what they know.
  ///
  /// RFC 5227, section 3; RFC 4861, sections 4.4 and 7.2.6.
  public static func frame(for address: IPAddress, at hardware: HardwareAddress) -> [UInt8] {
    switch address {
    case .v4: gratuitousARP(address.bytes, hardware.bytes)
    case .v6: neighbourAdvertisement(address.bytes, hardware.bytes)
    }
  }

  private static func gratuitousARP(_ address: [UInt8], _ hardware: [UInt8]) -> [UInt8] {
    let everyone = [UInt8](repeating: 0xff, count: 6)
    let ethernet = everyone + hardware + [0x08, 0x06]
    // Ethernet, IPv4, their lengths, request (RFC 826).
    let header: [UInt8] = [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01]
    let nobody = [UInt8](repeating: 0, count: 6)
    return ethernet + header + hardware + address + nobody + address
  }

  private static func neighbourAdvertisement(_ address: [UInt8], _ hardware: [UInt8]) -> [UInt8] {
    let allNodes: [UInt8] = [0xff, 0x02] + [UInt8](repeating: 0, count: 13) + [0x01]
    // The override flag, no more: nobody asked, and this is no router.
    var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0] + address
    // Option 2, one unit of eight bytes: the target's link-layer address.
    message += [2, 1] + hardware
    let length = UInt8(message.count)
    let sum = checksum(address + allNodes + [0, 0, 0, length, 0, 0, 0, 58] + message)
    message[2] = UInt8(sum >> 8)
    message[3] = UInt8(sum & 0xff)
    let ethernet: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + hardware + [0x86, 0xdd]
    // Next header ICMPv6; hop limit 255 proves that no router has passed it on.
    let header: [UInt8] = [0x60, 0, 0, 0, 0, length, 58, 255]
    return ethernet + header + address + allNodes + message
  }

  /// The Internet checksum over an even number of bytes.
  ///
  /// RFC 1071
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for place in stride(from: 0, to: bytes.count - 1, by: 2) {
      sum += UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1])
    }
    while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
    return ~UInt16(sum)
  }
}
