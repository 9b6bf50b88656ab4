internal import Addressing
public import CNI
internal import Netlink
public import RouteNetlink

extension PreviousResult {
  /// Looks whether a link of the container still has the addresses and routes of the result.
  ///
  /// - Throws: ``ProtocolError`` that names the first address or route that is missing.
  public func checkAddressesAndRoutes(
    of link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let addresses: [AddressEntry]
    do {
      addresses = try worlds.container.addresses(ofLink: link.index)
    } catch {
      throw ProtocolError(error)
    }
    for promised in result.addresses
    where !addresses.contains(where: { $0.address == promised.address }) {
      throw ProtocolError(
        .internalFailure, "Failed to match addr \(promised.address) on interface \(link.name)")
    }
    for family in IPFamily.allCases {
      try checkRoutes(family, link, in: worlds)
    }
  }

  private func checkRoutes(
    _ family: IPFamily, _ link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let addresses = result.addresses.filter { $0.address.family == family && $0.gateway != nil }
    let promised = result.routes.filter { $0.family == family }
    guard !addresses.isEmpty || !promised.isEmpty else { return }
    let routes: [RouteEntry]
    do {
      routes = try worlds.container.routes(family: family, table: nil)
        .filter { $0.table == .main || $0.isIn(aTableOf: link) }
    } catch {
      throw ProtocolError(error)
    }
    for address in addresses {
      let subnet = address.address.subnet
      // An address that is its whole subnet brings no route.
      guard address.address.prefix != .host(family) else { continue }
      guard !routes.contains(where: { $0.destination == subnet }) else { continue }
      throw ProtocolError(
        .internalFailure,
        "Failed to find Gateway \(address.gateway?.description ?? "") for interface \(link.name)",
        details: "no route leads to \(subnet)")
    }
    for route in promised where !routes.contains(where: { matches($0, route) }) {
      throw ProtocolError(
        .internalFailure, "Expected Route \(describe(route)) not found in routing table")
    }
  }

  /// Whether a route is the promised one; of a default route any gateway will do.
  func matches(_ route: RouteEntry, _ promised: ResultRoute) -> Bool {
    guard route.destination == promised.subnet,
      promised.table == nil || promised.table == Int(route.table.rawValue),
      promised.mtu == nil || promised.mtu == route.mtu.map(Int.init),
      promised.advmss == nil || promised.advmss == route.segmentSize.map(Int.init)
    else { return false }
    return promised.subnet.isEverything || promised.gateway == nil
      || promised.gateway == route.gateway
  }

  private func describe(_ route: ResultRoute) -> String {
    "{Dst:\(route.subnet)" + (route.gateway.map { " GW:\($0)" } ?? "") + "}"
  }
}

extension RouteEntry {
  /// Whether it leads out by a link and stands in a table that somebody has made: plugins further on
  /// in the list, `sbr` and `vrf`, take a link's routes out of the main table into one of their own.
  func isIn(aTableOf link: Link) -> Bool {
    linkIndex == link.index && table != .local
  }
}
