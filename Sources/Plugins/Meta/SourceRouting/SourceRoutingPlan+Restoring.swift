import Addressing
import CNI
import RouteNetlink

extension SourceRoutingPlan {
  /// What is missing of the rules and tables that an ADD has made.
  ///
  /// An address keeps the table that a rule leads it to, or one that no rule leads to any more and that
  /// has its way out. The main table loses what the result promises, which the plugins before have put
  /// back there, and nothing of what others have added.
  ///
  /// - Parameters:
  ///   - addresses: the interface's, as the result has them.
  ///   - destinations: where the result's routes lead.
  ///   - link: the interface's number.
  ///   - routes: all routes of the namespace, of all tables.
  ///   - rules: all its rules.
  init(
    restoring addresses: [ResultAddress], _ destinations: [Subnet], onLink link: UInt32,
    beside routes: [RouteEntry], _ rules: [RuleEntry]
  ) {
    let promised = Set(
      destinations + addresses.map(\.address.subnet)
        + addresses.compactMap(\.gateway)
        .map { Subnet(containing: $0, prefix: .host($0.family)) })
    let returned = Self.ownRoutes(of: link, in: routes).filter { promised.contains($0.destination) }
    var taken = Set(routes.map(\.table) + rules.map(\.table))
    var given: Set<RouteTable> = []
    for address in addresses {
      let led = rules.filter { $0.source?.first == address.address.address }.map(\.table)
      let present = routes.filter { $0.linkIndex == link && Self.isOurs($0.table) }
      let forsaken = present.first { route in
        !given.contains(route.table) && !rules.contains { $0.table == route.table }
          && (route.gateway ?? route.source).map(address.address.subnet.contains) == true
      }
      let table =
        led.first { table in present.contains { $0.table == table } } ?? led.first(
          where: Self.isOurs)
        ?? forsaken?.table ?? RouteTable.firstFree(from: Self.firstTable, besides: taken)
      taken.insert(table)
      given.insert(table)
      if !led.contains(table) { add(rule(address, table)) }
      let copies = Self.copies(of: returned, for: address, among: addresses)
      for route in copies { add(copy(route, to: table)) }
      let ways = present.filter { $0.table == table } + copies
      if let gateway = address.gateway,
        !ways.contains(where: { $0.destination == .everything(gateway.family) })
      {
        add(defaultRoute(via: gateway, link, table))
      }
    }
    leave(returned)
  }

  /// Whether a table may be one that the plugin has made.
  static func isOurs(_ table: RouteTable) -> Bool {
    table.rawValue >= firstTable && !RouteTable.reserved.contains(table.rawValue)
  }
}
