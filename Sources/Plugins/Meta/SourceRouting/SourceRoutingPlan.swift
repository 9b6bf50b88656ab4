import Addressing
import CNI
import Netlink
import RouteNetlink

/// What gives each address of an interface a table of its own, as steps that can be taken back.
///
/// Pure: it is made of what the namespace has, and nothing is asked while it is made.
struct SourceRoutingPlan {
  /// One request, the request that takes it back, and what to say if it fails.
  struct Step {
    let message: Message
    let undo: Message
    let failure: String
  }

  /// The first number that is given to a table: upstream's.
  static let firstTable: UInt32 = 100

  /// Rules, and what is in the tables they lead to.
  private(set) var arrivals: [Step] = []
  /// What the main table loses.
  private(set) var departures: [Step] = []

  /// Rules that lead what comes from the addresses to a table that somebody else fills.
  ///
  /// - Throws: `ProtocolError` when an address has such a rule already; to the kernel a second one
  ///   would be another rule.
  init(
    _ addresses: [ResultAddress], to table: RouteTable, beside rules: [RuleEntry]
  ) throws(ProtocolError) {
    for address in addresses {
      let source = address.address.address
      guard !rules.contains(where: { $0.source?.first == source && $0.table == table }) else {
        throw Self.taken(source, table)
      }
      add(rule(address, table))
    }
  }

  /// Rules and tables: each address gets the next free one, with a default route and copies of the
  /// interface's routes, which the main table then loses.
  ///
  /// - Parameters:
  ///   - addresses: the interface's, as the result has them.
  ///   - link: the interface's number.
  ///   - routes: all routes of the namespace, of all tables.
  ///   - rules: all its rules.
  /// - Throws: `ProtocolError` when an address has a table of the interface already.
  init(
    _ addresses: [ResultAddress], onLink link: UInt32, beside routes: [RouteEntry],
    _ rules: [RuleEntry]
  ) throws(ProtocolError) {
    for address in addresses.map(\.address.address) {
      let tables = rules.filter { $0.source?.first == address }.map(\.table)
      let earlier = routes.first {
        $0.table != .main && $0.linkIndex == link && tables.contains($0.table)
      }
      guard let earlier else { continue }
      throw Self.taken(address, earlier.table)
    }
    var taken = Set(routes.map(\.table) + rules.map(\.table))
    let own = Self.ownRoutes(of: link, in: routes)
    for address in addresses {
      let table = RouteTable.firstFree(from: Self.firstTable, besides: taken)
      taken.insert(table)
      add(rule(address, table))
      if let gateway = address.gateway { add(defaultRoute(via: gateway, link, table)) }
      for route in Self.copies(of: own, for: address, among: addresses) {
        add(copy(route, to: table))
      }
    }
    // Only now, since several addresses of one subnet share its routes.
    leave(own)
  }

  /// The routes of an interface in the main table.
  static func ownRoutes(of link: UInt32, in routes: [RouteEntry]) -> [RouteEntry] {
    routes.filter { $0.table == .main && $0.linkIndex == link && $0.type == .unicast }
  }

  /// Those of an interface's routes that an address needs; those through a gateway come after those
  /// that lead to it.
  static func copies(
    of own: [RouteEntry], for address: ResultAddress, among addresses: [ResultAddress]
  ) -> [RouteEntry] {
    let others = addresses.filter { $0.address != address.address }
    let copies = own.filter { belongs($0, to: address, not: others) }
    return copies.filter { $0.gateway == nil } + copies.filter { $0.gateway != nil }
  }

  /// Takes routes out of the main table.
  ///
  /// The way back leads over them, so those that lead to gateways go last.
  mutating func leave(_ own: [RouteEntry]) {
    let leaving = own.filter { !$0.isOfLinkLocal }
    for route in leaving.filter({ $0.gateway != nil }) + leaving.filter({ $0.gateway == nil }) {
      departures.append(
        Step(
          message: .deleteRoute(route), undo: .addRoute(route),
          failure: "Failed to delete route to \(route.destination)"))
    }
  }

  private static func taken(_ address: IPAddress, _ table: RouteTable) -> ProtocolError {
    ProtocolError(
      .internalFailure, "\(address) is routed by source already, by table \(table.rawValue)",
      details: "run DEL before another ADD")
  }

  /// Whether a route of the interface is for packets from an address: it says so, or goes through
  /// the address's subnet, or says nothing of the kind, or nothing that any other address could claim.
  private static func belongs(
    _ route: RouteEntry, to address: ResultAddress, not others: [ResultAddress]
  ) -> Bool {
    guard route.destination.family == address.address.family else { return false }
    let marks = [route.source, route.gateway].compactMap { $0 }
    func isClaimed(_ address: ResultAddress) -> Bool {
      marks.contains { address.address.subnet.contains($0) }
    }
    return marks.isEmpty || isClaimed(address) || !others.contains(where: isClaimed)
  }

  mutating func add(_ step: Step) { arrivals.append(step) }

  func rule(_ address: ResultAddress, _ table: RouteTable) -> Step {
    let rule = RuleEntry(from: address.address.address, to: table)
    return Step(
      message: .addRule(rule), undo: .deleteRule(rule),
      failure: "failed to add rule from \(address.address.address) to table \(table.rawValue)")
  }

  func defaultRoute(via gateway: IPAddress, _ link: UInt32, _ table: RouteTable) -> Step {
    var route = RouteEntry(to: .everything(gateway.family), via: gateway, onLink: link)
    route.table = table
    return Step(
      message: .addRoute(route), undo: .deleteRoute(route),
      failure: "Failed to add default route to \(gateway)")
  }

  func copy(_ route: RouteEntry, to table: RouteTable) -> Step {
    var route = route
    route.table = table
    return Step(
      message: .addRoute(route, .inItsPlace), undo: .deleteRoute(route),
      failure: "Failed to readd route to \(route.destination) in table \(table.rawValue)")
  }
}

extension RuleEntry {
  /// What comes from one address looks in a table.
  init(from address: IPAddress, to table: RouteTable) {
    self.init(address.family, table: table)
    source = Subnet(containing: address, prefix: .host(address.family))
  }
}

extension RouteEntry {
  /// The kernel's own, by which neighbours on the link are asked; never a way out.
  fileprivate var isOfLinkLocal: Bool {
    origin == .kernel && destination.family == .v6 && destination.first.isLinkLocal
  }
}
