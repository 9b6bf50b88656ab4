public import CNI
internal import Linux
internal import Netlink
public import RouteNetlink

/// Tells the neighbours of a link who has an address now.
///
/// An address that is used again would otherwise stay unreachable for as long as its neighbours
/// remember the hardware address of its last owner. Neighbours who do not know the address are left
/// as they are.
///
/// RFC 5227, section 3; RFC 4861, section 7.2.6.
public enum AddressAnnouncement {
  /// Announces a link's addresses out of that link, if it has any.
  ///
  /// The kernel does it, as ``ContainerInterface`` has told it to: by gratuitous ARP and by
  /// unsolicited neighbour advertisements. That it cannot be done is told on stderr and no reason
  /// for an ADD to fail.
  public static func send(
    _ addresses: [ResultAddress], from link: Link, in worlds: borrowing HostAndContainer
  ) {
    guard !addresses.isEmpty, let hardware = link.hardwareAddress else { return }
    do {
      try worlds.container.exchange(.announceAddresses(of: .index(link.index), at: hardware))
    } catch {
      StandardStreams.writeDiagnostics("addresses of \(link.name) are not announced: \(error)\n")
    }
  }
}
