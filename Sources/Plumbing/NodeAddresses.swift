public import Addressing
public import Netlink
public import RouteNetlink

/// The addresses that this host is known by.
public enum NodeAddresses {
  /// The primary address of each family: the one that connections to the world have, or else the first
  /// global one of the first link that is up.
  ///
  /// - Parameter socket: where the host is asked.
  /// - Returns: one of a family at most, IPv4 first.
  /// - Throws: `NetlinkError`.
  public static func primary(
    on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> [IPAddress] {
    var primary: [IPAddress] = []
    for family in IPFamily.allCases {
      if let source = try socket.findRoute(to: somewhere(family))?.source {
        primary.append(source)
      } else if let first = try firstGlobal(family, on: socket) {
        primary.append(first.address.address)
      }
    }
    return primary
  }

  /// The first global address of a family, by the number of its link; those of `lo` come last.
  static func firstGlobal(
    _ family: IPFamily, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> AddressEntry? {
    try socket.addresses(family: family)
      .filter { $0.address.address.isGlobalUnicast && $0.scope == .universe }
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

  /// An address that is far away: one for documentation.
  ///
  /// RFC 5737, RFC 3849
  private static func somewhere(_ family: IPFamily) -> IPAddress {
    switch family {
    case .v4: .v4(IPv4Address(192, 0, 2, 1))
    case .v6: .v6(IPv6Address(bits: 0x2001_0db8 << 96 | 1))
    }
  }
}
