public import Addressing
public import Conntrack
public import Netlink

/// Which flows of datagrams the kernel must forget when frontends change.
///
/// A client that keeps sending keeps its flow alive, and with it the way that the first packet went:
/// to a backend that is gone, or nowhere before there was one. Connections need nothing of the kind,
/// since they end with an answer or without one.
public enum StaleFlows {
  /// Forgets flows that no longer lead where their frontends do, and no others: those that answer
  /// from a backend that has left its frontend, and those that were sent to a frontend which now has
  /// backends, but were never led to any.
  ///
  /// Where no frontend for datagrams has changed so, the kernel is not asked.
  ///
  /// - Parameters:
  ///   - old: the frontends before the change.
  ///   - new: what they are now.
  ///   - isOwn: whether an address is one of the node's at which ports are open.
  ///   - socket: where the flows are.
  /// - Throws: `NetlinkError`.
  public static func forget(
    from old: [Frontend], to new: [Frontend], isOwn: (IPAddress) -> Bool,
    on socket: borrowing NetlinkSocket<ConntrackFamily>
  ) throws(NetlinkError) {
    let changes = FrontendFlows.changes(from: old, to: new)
    for family in IPFamily.allCases {
      let ours = changes.filter { $0.key.place.family == family }
      guard !ours.isEmpty else { continue }
      let byPort = Dictionary(grouping: ours, by: \.key.port)
      var stale: Set<Flow> = []
      for filter in filters(of: ours, family) {
        for flow in try socket.flows(filter)
        where (byPort[flow.original.destinationPort] ?? []).contains(where: {
          $0.isStale(flow, isOwn)
        }) {
          stale.insert(flow)
        }
      }
      try socket.forget(Array(stale))
    }
  }

  /// What to ask the kernel for, so that it tells all stale flows and few others.
  ///
  /// Each listing walks through all the room there is for flows; but each flow that is told costs a
  /// thousand times as much as one that is passed over. So flows of backends that have left are asked
  /// for by their addresses, of IPv4, which alone the kernel can compare, and else by the ports that they
  /// were sent to. Where that would be many listings, there is one of all.
  private static func filters(
    of changes: [FrontendFlows], _ family: IPFamily
  ) -> [FlowFilter] {
    let transport = Transport.udp.rawValue
    func sent(to changes: [FrontendFlows]) -> Set<FlowFilter> {
      Set(changes.map { FlowFilter(family, transport: transport, toPort: $0.key.port) })
    }
    let addresses = Set(changes.flatMap(\.gone).map(\.address))
    let byAddress = sent(to: changes.filter(\.isNew))
      .union(addresses.map { FlowFilter(answeredBy: $0, transport: transport) })
    let byPort = sent(to: changes)
    if family == .v4, byAddress.count <= mostListings { return Array(byAddress) }
    if byPort.count <= mostListings { return Array(byPort) }
    return [FlowFilter(family, transport: transport)]
  }

  /// How many listings take less time than one of some ten thousand flows.
  private static var mostListings: Int { 8 }
}

/// What has changed for the flows of one frontend.
private struct FrontendFlows {
  let key: Frontend.Key
  /// Who answered, and answers no more.
  let gone: Set<Place>
  /// Nobody answered, and now somebody does.
  let isNew: Bool

  /// Where a flow may lead.
  struct Place: Hashable {
    let address: IPAddress
    let port: UInt16
  }

  static func changes(from old: [Frontend], to new: [Frontend]) -> [FrontendFlows] {
    let before = places(old)
    let after = places(new)
    return Set(before.keys).union(after.keys).compactMap { key in
      let (was, now) = (before[key] ?? [], after[key] ?? [])
      let change = FrontendFlows(
        key: key, gone: was.subtracting(now), isNew: was.isEmpty && !now.isEmpty)
      return change.gone.isEmpty && !change.isNew ? nil : change
    }
  }

  private static func places(_ frontends: [Frontend]) -> [Frontend.Key: Set<Place>] {
    var places: [Frontend.Key: Set<Place>] = [:]
    for frontend in frontends where frontend.transport == .udp {
      places[frontend.key] = Set(
        frontend.backends.map { Place(address: $0.address, port: $0.port) })
    }
    return places
  }

  func isStale(_ flow: Flow, _ isOwn: (IPAddress) -> Bool) -> Bool {
    let destination = flow.original.destination
    switch key.place {
    case .address(let address): guard destination == address else { return false }
    case .node: guard isOwn(destination) else { return false }
    }
    guard flow.isRedirected else { return isNew }
    return gone.contains(Place(address: flow.reply.source, port: flow.reply.sourcePort))
  }
}
