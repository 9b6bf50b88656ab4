public import Addressing
public import Netlink
public import RouteNetlink

/// Ways from this host to the addresses of services.
///
/// No packet ever goes them: the packet filter sends each one elsewhere. But it is asked only once a
/// way has been found, so a host without a default route would refuse its own connections to services
/// (cluster.md, A.8). The way leads over a link with a global address, which becomes the source; over
/// `lo` the kernel would refuse IPv6.
public enum ServiceRoutes {
  /// Who made them, as `ip route` shows it: `proto 196`.
  public static let origin = RouteOrigin(rawValue: 196)

  /// Makes sure that there is a way to each range; looks first, which is quick.
  ///
  /// - Parameters:
  ///   - ranges: the ranges that services have their addresses from.
  ///   - socket: where the host is.
  /// - Throws: `NetlinkError`.
  public static func ensure(
    to ranges: [Subnet], on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    for range in ranges {
      // One through a gateway is the default route, which may go.
      if let way = try socket.findRoute(to: range.last), way.gateway == nil { continue }
      try add(range, on: socket)
    }
  }

  /// Makes sure of these ways and removes those to ranges of before.
  ///
  /// - Parameters:
  ///   - ranges: the ranges that services have their addresses from.
  ///   - socket: where the host is.
  /// - Throws: `NetlinkError`.
  public static func settle(
    to ranges: [Subnet], on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    for family in IPFamily.allCases {
      for route in try socket.routes(family: family)
      where route.origin == origin && !ranges.contains(route.destination) {
        do {
          try socket.deleteRoute(route)
        } catch {
          guard error.isNotFound else { throw error }
        }
      }
    }
    for range in ranges { try add(range, on: socket) }
  }

  private static func add(
    _ range: Subnet, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    // Without an address there is no source, and nobody could answer.
    guard let entry = try NodeAddresses.firstGlobal(range.family, on: socket) else { return }
    var route = RouteEntry(to: range, onLink: entry.linkIndex, scope: .link)
    route.origin = origin
    if range.family == .v4 { route.source = entry.address.address }
    do {
      try socket.addRoute(route)
    } catch {
      guard error.isAlreadyThere else { throw error }
    }
  }
}
