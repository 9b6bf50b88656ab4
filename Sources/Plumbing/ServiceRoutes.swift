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

  /// Looks how the host's own connections leave, all in one question; changes nothing.
  ///
  /// - Parameter ranges: the ranges that services have their addresses from.
  /// - Returns: `exits`, by which links and with which addresses those to the world leave, a text that
  ///   changes when they do; `unreachable`, the ranges that there is no way to.
  /// - Throws: `NetlinkError`.
  public static func look(
    for ranges: [Subnet]
  ) throws(NetlinkError) -> (exits: String, unreachable: [Subnet]) {
    let families = IPFamily.allCases
    let places = families.map(NodeAddresses.somewhere) + ranges.map(\.last)
    let answers = try NetlinkSocket<RouteFamily>().answers(places.map { RouteQuery(to: $0) })
    let exits = answers.prefix(families.count).map { answer in
      guard let way = NodeAddresses.exit(answer) else { return "-" }
      return "\(way.linkIndex ?? 0) \(way.source.map(\.description) ?? "-")"
    }
    var unreachable: [Subnet] = []
    for (range, answer) in zip(ranges, answers.dropFirst(families.count)) {
      // One through a gateway is the default route, which may go.
      if case .route(let way) = answer, way.gateway == nil { continue }
      unreachable.append(range)
    }
    return (exits.joined(separator: ", "), unreachable)
  }

  /// Makes ways, unless they are there.
  ///
  /// - Parameter ranges: the ranges that services have their addresses from.
  /// - Throws: `NetlinkError`.
  public static func add(_ ranges: [Subnet]) throws(NetlinkError) {
    let socket = try NetlinkSocket<RouteFamily>()
    for range in ranges { try add(range, on: socket) }
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
