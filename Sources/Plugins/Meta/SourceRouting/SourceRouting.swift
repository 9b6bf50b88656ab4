internal import Addressing
public import CNI
internal import JSON
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Lets packets leave a container by the interface whose address they carry.
///
/// Every address of the interface gets a rule, which leads to a table of its own with the
/// interface's routes, or to a table that the configuration names: key `table`.
public enum SourceRouting: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "sbr"

  /// Makes rules and tables, and takes the interface's routes out of the main table.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let table = try table(request)
    let (result, addresses) = try attached(request)
    try change(request) { worlds, routes, rules throws(ProtocolError) in
      if let table { return try SourceRoutingPlan(addresses, to: table, beside: rules) }
      let link = try link(try request.attachment.interface, in: worlds)
      return try SourceRoutingPlan(addresses, onLink: link.index, beside: routes, rules)
    }
    return result
  }

  /// Removes the rules about the interface's addresses, and the tables made for them.
  ///
  /// Which addresses those are is told by the interface, and by the previous result where there is
  /// one. Routes of the interface itself go with it.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let table = try table(request)
    guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else { return }
    let lock = try worlds.lockContainer()
    var failures = Failures()
    let (link, addresses) = try remains(of: request, in: worlds)
    guard !addresses.isEmpty else { return }
    let (routes, rules) = try everything(in: worlds)
    let own = rules.filter { rule in
      guard let source = rule.source?.first, addresses.contains(source) else { return false }
      return table == nil || rule.table == table
    }
    for rule in own {
      failures.attempt("remove the rule for table \(rule.table.rawValue)") {
        () throws(ProtocolError) in try forget(.deleteRule(rule), in: worlds)
      }
    }
    // What an administrator's table holds is not ours; ours go once no rule leads to them.
    let left = Set(own.map(\.table)).filter { table in
      SourceRoutingPlan.isOurs(table)
        && !rules.contains { $0.table == table && !own.contains($0) }
    }
    for route in routes
    where table == nil && left.contains(route.table) && route.linkIndex == link?.index {
      failures.attempt("empty table \(route.table.rawValue)") { () throws(ProtocolError) in
        try forget(.deleteRoute(route), in: worlds)
      }
    }
    _ = consume lock
    try failures.report()
  }

  /// Looks whether every address still has its rule, and its table the default route.
  ///
  /// - Throws: `ProtocolError` that names the first one that is missing.
  public static func check(_ request: Request) throws(ProtocolError) {
    let table = try table(request)
    let (_, addresses) = try attached(request)
    let worlds = try HostAndContainer(for: request)
    let link = try link(try request.attachment.interface, in: worlds)
    let (routes, rules) = try everything(in: worlds)
    for address in addresses {
      let own = rules.filter {
        $0.source?.first == address.address.address && (table == nil || $0.table == table)
      }
      guard !own.isEmpty else {
        throw ProtocolError(
          .internalFailure,
          "sbr: no rule leads what comes from \(address.address.address)"
            + (table.map { " to table \($0.rawValue)" } ?? ""))
      }
      guard table == nil, let gateway = address.gateway else { continue }
      let led = routes.filter { route in
        route.linkIndex == link.index && own.contains { $0.table == route.table }
      }
      guard led.contains(where: { $0.destination == .everything(gateway.family) }) else {
        throw ProtocolError(
          .internalFailure,
          "sbr: no default route for what comes from \(address.address.address)")
      }
      // Every plugin gives an address the way to its subnet, and ADD has copied it.
      let subnet = address.address.subnet
      guard
        address.address.prefix == .host(gateway.family)
          || led.contains(where: { $0.destination == subnet })
      else {
        throw ProtocolError(
          .internalFailure,
          "sbr: no route to \(subnet) for what comes from \(address.address.address)")
      }
    }
  }

  /// Gives every address its rule and its table back.
  ///
  /// What the plugins before have put back into the main table is taken out of it again.
  ///
  /// - Throws: `ProtocolError` that names what the kernel refused.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let table = try table(request)
    let (result, addresses) = try attached(request)
    try change(request) { worlds, routes, rules throws(ProtocolError) in
      if let table {
        let unled = addresses.filter { address in
          !rules.contains { $0.source?.first == address.address.address && $0.table == table }
        }
        return try SourceRoutingPlan(unled, to: table, beside: rules)
      }
      let link = try link(try request.attachment.interface, in: worlds)
      return SourceRoutingPlan(
        restoring: addresses, result.routes.map(\.subnet), onLink: link.index, beside: routes,
        rules)
    }
  }

  /// Does what is planned from all routes and rules of the container, while nobody else plans there.
  private static func change(
    _ request: Request,
    _ plan: (borrowing HostAndContainer, [RouteEntry], [RuleEntry]) throws(ProtocolError) ->
      SourceRoutingPlan
  ) throws(ProtocolError) {
    let worlds = try HostAndContainer(for: request)
    let lock = try worlds.lockContainer()
    let (routes, rules) = try everything(in: worlds)
    try plan(worlds, routes, rules).perform(on: worlds.container)
    _ = consume lock
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, when the kernel knows no rules.
  public static func status(_ request: Request) throws(ProtocolError) {
    _ = try table(request)
    let host = try HostAndContainer.hostSocket()
    do {
      _ = try host.rules(.v4)
    } catch {
      throw ProtocolError(.notReady, "cannot route by source: \(error)")
    }
  }
}
