public import Addressing
public import Netlink
internal import RouteNetlink

/// The addresses that this host is known by.
public enum NodeAddresses {
  /// The primary address of each family: the one that connections to the world have, or else the first
  /// global one of the first link that is up.
  ///
  /// Asked in the namespace that the thread stands in.
  ///
  /// - Returns: one of a family at most, IPv4 first.
  /// - Throws: `NetlinkError`.
  public static func primary() throws(NetlinkError) -> [IPAddress] {
    let socket = try NetlinkSocket<RouteFamily>()
    var primary: [IPAddress] = []
    for family in IPFamily.allCases {
      if let source = try exit(family, on: socket)?.source {
        primary.append(source)
      } else if let first = try firstGlobal(family, on: socket) {
        primary.append(first.address.address)
      }
    }
    return primary
  }

  /// The way that this host's own connections to the world take; nil if there is none.
  static func exit(
    _ family: IPFamily, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> RouteEntry? {
    exit(try socket.answer(RouteQuery(to: somewhere(family))))
  }

  /// The way that an answer about ``somewhere(_:)`` tells.
  static func exit(_ answer: RouteAnswer) -> RouteEntry? {
    guard case .route(let route) = answer, route.type == .unicast else { return nil }
    return route
  }

  /// The first global address of a family that connections may come from, by the number of its link;
  /// those of `lo` come last.
  static func firstGlobal(
    _ family: IPFamily, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> AddressEntry? {
    try socket.addresses(family: family)
      .filter {
        $0.address.address.isGlobalUnicast && $0.scope == .universe
          && !$0.flags.contains(.deprecated)
      }
      .min { ($0.linkIndex == 1 ? .max : $0.linkIndex) < ($1.linkIndex == 1 ? .max : $1.linkIndex) }
  }

  /// Whether an address is one of this host's own; no if that cannot be told.
  public static func isOwn(_ address: IPAddress) -> Bool {
    do throws(NetlinkError) {
      return try NetlinkSocket<RouteFamily>().findRoute(to: address)?.type == .local
    } catch {
      return false
    }
  }

  /// An address that is far away, for which no host has a route of its own: a root server of the DNS.
  ///
  /// Nothing is sent there; the kernel is asked for the way. To ask for the default route itself would
  /// be a listing, which costs as much as there are routes, and tells nothing of rules. An address for
  /// documentation will not do, since laboratories have such networks, and firewalls refuse them.
  ///
  /// a.root-servers.net: 198.41.0.4, 2001:503:ba3e::2:30
  static func somewhere(_ family: IPFamily) -> IPAddress {
    switch family {
    case .v4: .v4(IPv4Address(198, 41, 0, 4))
    case .v6: .v6(IPv6Address(bits: 0x2001_0503_ba3e << 80 | 0x0002_0030))
    }
  }
}
