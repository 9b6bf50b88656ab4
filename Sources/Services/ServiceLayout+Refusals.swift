internal import Addressing
internal import Nftables

// What nobody serves.

extension ServiceLayout {
  static func refusing(_ family: IPFamily) -> [Room] {
    let refuse = Expression.verdict(.goto("refuse"))
    return [
      Room("input", hook(.filter, .input), [isUnusual]),
      forward(family),
      // What the node itself sends is no backend's that passes.
      Room(
        "output_filter", hook(.filter, .output),
        [Rule([.connection(.new)], .verdict(.jump(to: "unserved")))]),
      Room(
        "unserved", nil,
        [
          Rule([.connection(.invalid)], .verdict(.goto("strays"))),
          Rule([.destination(family, isIn: .addresses)], .verdict(.jump(to: "unserved_addresses"))),
          Rule(isOwnPort(family), .verdict(.goto("unserved_ports"))),
        ]),
      strays(family),
      Room(
        "unserved_addresses", nil,
        [
          Rule([.frontend(family, isIn: ServiceSet.refused.set(family))], refuse),
          Rule([.frontend(family, isIn: ServiceSet.dropped.set(family))], .verdict(.drop)),
          Rule([.destination(family, isIn: .clusterAddresses)], refuse),
        ]),
      Room(
        "unserved_ports", nil,
        [
          Rule([.port(isIn: ServiceSet.refusedPorts.set(family))], refuse),
          Rule([.port(isIn: ServiceSet.droppedPorts.set(family))], .verdict(.drop)),
        ]),
      Room(
        "refuse", nil,
        [
          Rule([.transport(.tcp)], .reject(.tcpReset)),
          Rule([], .reject(.portUnreachable(family))),
        ]),
    ]
  }

  static func forward(_ family: IPFamily) -> Room {
    Room("forward", hook(.filter, .forward), [isUnusual])
  }

  /// One rule for both states, so that what belongs to a connection passes no more than one.
  private static var isUnusual: Rule {
    Rule([.connection([.invalid, .new])], .verdict(.jump(to: "unserved")))
  }

  /// What a backend sends that belongs to no connection.
  ///
  /// Nothing translates it back, so the client, or the node where the client is hidden, would hear a
  /// stranger and refuse; and that refusal fits the backend's connection and breaks it off. A segment
  /// that comes too late is enough (kubernetes/kubernetes#74839). kube-proxy drops all that it forwards
  /// in this state, which breaks ways that lead there and back by different nodes, where one node sees
  /// half of each connection; so it stops where `nf_conntrack_tcp_be_liberal` is set. Here only those are
  /// dropped whose other half must have come this way: from a pod of this node, since all its packets
  /// pass here, and from a backend elsewhere to a pod of this node or to the node itself. Answers by
  /// which a balancer lets a backend speak for the balancer's address (DSR) have that address, and pass.
  private static func strays(_ family: IPFamily) -> Room {
    let isFromElsewhere = Match.fields(
      .source(family), areIn: ServiceSet.backendsElsewhere.set(family))
    return Room(
      "strays", nil,
      [
        Rule(
          [.fields(.source(family), .source(family), areIn: ServiceSet.hairpin.set(family))],
          .verdict(.drop)),
        Rule([isFromElsewhere, .destination(family, isIn: .cluster)], .verdict(.drop)),
        Rule([isFromElsewhere, .destinationIsLocal], .verdict(.drop)),
      ])
  }
}
