public import Addressing
internal import RouteNetlink

extension OverlayEntries {
  /// What a plan asks for.
  ///
  /// - Parameters:
  ///   - plan: the plan.
  ///   - links: the numbers of its tunnels.
  ///   - sources: those of the node's own addresses that it can send from by now.
  public init(
    _ plan: OverlayPlan, links: [InterfaceName: UInt32], sources: Set<IPAddress> = []
  ) {
    for range in plan.node.cluster {
      // What no peer has must not leave by the default route.
      routes.insert(Route(range))
    }
    for way in plan.ways {
      switch way.course {
      case .direct(let link):
        for subnet in way.subnets {
          routes.insert(Route(subnet, via: way.remote, onLink: link))
        }
      case .tunnel: insert(tunnelled: way, of: plan, links: links, sources: sources)
      }
    }
  }

  /// What leads into a tunnel, to the pods of a peer and, where the plan says so, to the peer itself.
  private mutating func insert(
    tunnelled way: OverlayPlan.Way, of plan: OverlayPlan, links: [InterfaceName: UInt32],
    sources: Set<IPAddress>
  ) {
    let family = way.remote.family
    guard let tunnel = plan.tunnels.first(where: { $0.settings.local?.family == family }),
      let link = links[tunnel.name], let base = way.subnets.first?.first
    else { return }
    let address = way.peer.hardwareAddress(over: family)
    neighbours.insert(Neighbour(base, onLink: link, at: address))
    forwardings.insert(ForwardingEntry(address, onLink: link, to: way.remote))
    // Whoever is asked at this node's own address answers from it, also by a wildcard UDP socket.
    let source = way.peer.runsFlannel ? nil : plan.node.underlay(way.family)
    for subnet in way.subnets {
      var route = Route(subnet, via: base, onLink: link, isOnLink: true)
      route.source = source.flatMap { sources.contains($0) ? $0 : nil }
      routes.insert(route)
    }
    guard let remote = plan.tunnelledNode(way) else { return }
    let place = Subnet(containing: remote, prefix: .host(way.family))
    var route = Route(place, via: base, onLink: link, isOnLink: true)
    route.table = Self.nodeTable
    routes.insert(route)
    for own in plan.node.subnets where own.family == way.family {
      rules.insert(Self.rule(from: own))
    }
  }

  /// Leaves out peers' own addresses of a family, where the kernel has no rules for it: their routes
  /// would come into the one table there is.
  mutating func leaveOutNodes(_ family: IPFamily) {
    rules = rules.filter { $0.family != family }
    routes = routes.filter { $0.table != Self.nodeTable || $0.destination.family != family }
  }

  private static func rule(from pods: Subnet) -> RuleEntry {
    var rule = RuleEntry(pods.family, priority: priority, table: nodeTable)
    rule.source = pods
    rule.origin = origin
    return rule
  }
}
