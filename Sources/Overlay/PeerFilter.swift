internal import Addressing
internal import Netlink
internal import Nftables
internal import RouteNetlink

/// Lets in only what peers send, each only from its own subnets.
///
///     set from_v4_in_v4_24 { 172.16.2.2 . 10.5.2.0 }   peers' addresses, and subnets behind them
///     set from_v4_in_v4_32 { 172.16.2.2 . 172.16.2.2 } and peers themselves
///
///     chain tunnels {      hooked into input
///       udp dport 8472 @th,96,24 1 goto tunnel
///     }
///     chain tunnel {
///       @th,224,16 0x800 ip saddr . @th,336,32 & 0xffffff00 @from_v4_in_v4_24 return
///       drop
///     }
///     chain sources {      hooked into prerouting
///       iifname "flannel.1" return
///       ip saddr 10.5.0.0/16 fib saddr . iif oif 0 drop
///     }
///
/// A packet of a tunnel is judged before it is unwrapped, while both its outer and its inner source
/// can be read: a peer can speak for itself, as when pods ask it, but neither for another node nor for
/// its pods, and a host that is no peer cannot speak at all. Any other packet with a pod's source must
/// come from where the route to that pod leads, so nobody brings in a pod's address past the tunnel.
/// What this rests on: that the network below does
/// not deliver packets with a false outer source, for tunnels have no signature (use another network
/// below, or wireguard, where that cannot be had); and, for peers on the same link that are reached
/// straight, that hosts on that link do not lie about their addresses.
///
/// The table holds nothing that grows by itself, so a change replaces it whole, in one transaction.
struct PeerFilter {
  /// The table.
  static let table = Table(
    family: .inet, name: "swift_cni_overlay", comment: "flat network; made and kept by swift-cni")

  /// The sets, each with its elements.
  private(set) var sets: [(set: NamedSet, keys: Set<ElementKey>)] = []
  /// The chains, each with its rules.
  private(set) var chains: [(chain: Chain, rules: [Rule])] = []

  init(_ plan: OverlayPlan) {
    layTunnels(plan)
    laySources(plan)
    layMasquerade(plan.node, tunnels: plan.tunnels)
  }
}

extension PeerFilter {
  /// The outer family and the inner prefix, which have a set and a rule together.
  private struct Shape: Hashable {
    let outer: IPFamily
    let inner: Prefix

    var set: NamedSet {
      NamedSet(
        "from_\(outer.shortName)_in_\(inner.family.shortName)_\(inner.length)",
        in: PeerFilter.table,
        key: [outer.dataType, inner.family.dataType])
    }
  }

  private mutating func layTunnels(_ plan: OverlayPlan) {
    guard let tunnelling = plan.node.backend.tunnelling else { return }
    var members: [Shape: Set<ElementKey>] = [:]
    // A peer may use its tunnel though this node reaches it straight, and any family below.
    for way in plan.ways {
      for outer in way.peer.underlay where plan.node.underlay(outer.family) != nil {
        let itself = way.peer.underlay(way.family).map {
          Subnet(containing: $0, prefix: .host(way.family))
        }
        for source in way.subnets + [itself].compactMap({ $0 }) {
          members[Shape(outer: outer.family, inner: source.prefix), default: []]
            .insert(ElementKey(.address(outer), .address(source.first)))
        }
      }
    }
    let shapes = members.keys.sorted { $0.set.name < $1.set.name }
    sets = shapes.map { ($0.set, members[$0] ?? []) }
    let inside = Chain("tunnel", in: Self.table)
    let rules = shapes.map { shape in
      Rule(
        [
          .family(shape.outer), .tunnelled(shape.inner.family),
          .fields(.source(shape.outer), .tunnelledSourceNetwork(shape.inner), areIn: shape.set),
        ], .verdict(.return), comment: "\(shape.set.name): a peer for its own pods and itself")
    }
    chains.append((inside, rules + [Rule([], .verdict(.drop), comment: "nobody else")]))
    let entry = Chain(
      "tunnels", in: Self.table,
      hook: Hook(.filter, at: .input, priority: Hook.Priority(Hook.Priority.filter.value - 10)))
    chains.append(
      (
        entry,
        [
          Rule(
            [.tunnel(network: tunnelling.network, port: tunnelling.port)],
            .verdict(.goto(inside.name)),
            comment: "network \(tunnelling.network) at port \(tunnelling.port)")
        ]
      ))
  }

  private mutating func laySources(_ plan: OverlayPlan) {
    let entry = Chain(
      "sources", in: Self.table, hook: Hook(.filter, at: .prerouting, priority: .raw))
    let judged = plan.tunnels.map { tunnel in
      Rule(
        [.inputName(is: tunnel.name)], .verdict(.return),
        comment: "\(tunnel.name): judged by chain tunnel")
    }
    let others = plan.node.cluster.map { range in
      Rule(
        [.family(range.family), .source(isIn: range), .sourceIsElsewhere], .verdict(.drop),
        comment: "\(range): a pod's address from where that pod is not")
    }
    chains.append((entry, judged + others))
  }

  private mutating func layMasquerade(_ node: LocalNode, tunnels: [Tunnel]) {
    guard node.masquerades else { return }
    let entry = Chain(
      "masquerade_node", in: Self.table,
      // After what plugins do for single pods, who may have an address of their own outside.
      hook: Hook(
        .nat, at: .postrouting, priority: Hook.Priority(Hook.Priority.sourceNAT.value + 1)))
    let spared = node.cluster.map { range in
      Rule(
        [.family(range.family), .destination(isIn: range)], .verdict(.return),
        comment: "\(range): within the cluster")
    }
    let tunnelled = tunnels.map { tunnel in
      Rule(
        [.outputName(is: tunnel.name)], .verdict(.return),
        comment: "\(tunnel.name): to nodes of the cluster")
    }
    let groups = node.podFamilies.sorted { $0.shortName < $1.shortName }.map { family in
      Rule(
        [.family(family), .destination(isIn: .multicast(family))], .verdict(.return),
        comment: "\(family) multicast keeps its source")
    }
    let hidden = node.subnets.map { subnet in
      Rule(
        [.family(subnet.family), .source(isIn: subnet)], .masquerade,
        comment: "\(subnet): hidden outside the cluster")
    }
    chains.append((entry, spared + tunnelled + groups + hidden))
  }
}

extension PeerFilter {
  /// Whether the table is there as it must be.
  func isLaid(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError) -> Bool {
    guard Set(try socket.setNames(in: Self.table)) == Set(sets.map(\.set.name)) else {
      return false
    }
    for (chain, rules) in chains {
      guard try socket.listedRules(of: chain).map(\.comment) == rules.map(\.comment) else {
        return false
      }
    }
    let hooked = try socket.listedBaseChains().filter { $0.chain.table.name == Self.table.name }
    guard hooked.count == chains.count(where: { $0.chain.hook != nil }) else { return false }
    for (set, keys) in sets {
      guard Set(try socket.elements(of: set).map(\.key)) == keys else { return false }
    }
    return true
  }

  /// Replaces the table by this one, or makes it.
  var replacement: Transaction {
    var all = Transaction()
    all.add(Self.table)
    all.delete(Self.table)
    all.add(Self.table)
    for (set, _) in sets { all.add(set) }
    for (chain, _) in chains { all.add(chain) }
    for (chain, rules) in chains {
      for rule in rules { all.append(rule, to: chain) }
    }
    for (set, keys) in sets {
      for key in keys { all.add(Element(key), to: set, ifThere: .refused) }
    }
    return all
  }

  /// Whether there is a table of ours, whatever is in it.
  static func isPresent(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> Bool
  {
    try socket.has(table)
  }

  /// Deletes the table.
  static var removal: Transaction {
    var all = Transaction()
    all.add(table)
    all.delete(table)
    return all
  }
}
