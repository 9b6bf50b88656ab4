internal import Addressing
internal import Netlink
internal import Nftables

/// The chains and rules of one family's table that are the same for any services.
///
///     chain prerouting {                       nat, dstnat - 1
///       ip daddr @addresses jump arriving                        each twice
///       ip daddr @node_addresses fib daddr type local jump arriving_ports
///     }
///     chain output { … jump services … jump ports }             the node's own connections
///     chain arriving {
///       ip daddr . meta l4proto . th dport @local_policy ip saddr != @cluster goto local_services
///       goto services
///     }
///     chain services { one rule for each shape; see Shape }
///     chain postrouting {                      nat, srcnat - 1
///       ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random
///       ct status dnat ip saddr != @cluster goto hide
///     }
///     chain hide { … @masquerade_addresses … @masquerade_ports … masquerade fully-random }
///     chain forward { ct state invalid,new jump unserved }       filter; likewise input
///     chain output_filter { ct state new jump unserved }
///     chain unserved {
///       ct state invalid goto strays
///       … @refused goto refuse … @dropped drop … @cluster_addresses goto refuse
///     }
///     chain strays { ip saddr . ip saddr @hairpin drop; … @backends_elsewhere … drop }
///     chain guard { ct state new jump guarding }         filter, dstnat - 10
///     chain guarding { … @guarded … ip saddr != @allowed drop }
///
/// A service is elements and never a rule, so a connection costs the same with any number of them. No
/// packet gets a mark: whose connection was redirected from where is asked of the connection itself.
/// In front of dstnat, because for one connection the first chain that translates wins, and addresses
/// of services are narrower than what others translate there.
enum ServiceLayout {
  /// A chain and the rules that are always in it.
  struct Room {
    let name: String
    let hook: Hook?
    let rules: [Rule]

    init(_ name: String, _ hook: Hook? = nil, _ rules: [Rule]) {
      self.name = name
      self.hook = hook
      self.rules = rules
    }

    func chain(_ family: IPFamily) -> Chain {
      Chain(name, in: .services(family), hook: hook)
    }
  }

  /// All chains that are always there.
  static func rooms(_ family: IPFamily) -> [Room] {
    translating(family) + hiding(family) + refusing(family) + guarding(family)
  }

  /// Makes table, sets, chains and rules, none of which may be there.
  static func lay(_ family: IPFamily, in transaction: inout Transaction) {
    transaction.add(Table.services(family))
    for set in ServiceSet.fixed { transaction.add(set, family) }
    let rooms = rooms(family)
    for room in rooms { transaction.add(room.chain(family)) }
    for room in rooms {
      for rule in room.rules { transaction.append(rule, to: room.chain(family)) }
    }
  }

  /// Finds the first family whose chains through which packets come are not there with their rules;
  /// nil if all are.
  ///
  /// It asks for no more than what a flushed or deleted table lacks; see `ServiceTable.differences`
  /// for all there is.
  static func missing(
    _ families: some Collection<IPFamily>, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> IPFamily? {
    let rooms = families.flatMap { family in
      [prerouting(family), postrouting(family), forward(family)].map { (family, $0) }
    }
    let chains = try socket.listedChains(rooms.map { family, room in room.chain(family) })
    for ((family, room), chain) in zip(rooms, chains) {
      guard let uses = chain?.uses, uses >= room.rules.count else { return family }
    }
    return nil
  }
}

// MARK: - New destinations

extension ServiceLayout {
  private static func translating(_ family: IPFamily) -> [Room] {
    let isPolicyLocal = Match.frontend(family, isIn: ServiceSet.localPolicy.set(family))
    let isPolicyLocalPort = Match.port(isIn: ServiceSet.localPolicyPorts.set(family))
    let isFromOutside = Match.source(of: family, isNotIn: .cluster)
    return [
      prerouting(family),
      Room(
        "output", hook(.nat, .output),
        twice(
          Rule([.destination(family, isIn: .addresses)], .verdict(.jump(to: BucketList.all.chain))))
          + twice(Rule(isOwnPort(family), .verdict(.jump(to: BucketList.allOfPorts.chain))))),
      Room(
        "arriving", nil,
        [
          Rule([isPolicyLocal, isFromOutside], .verdict(.goto(BucketList.local.chain))),
          Rule([], .verdict(.goto(BucketList.all.chain))),
        ]),
      Room(
        "arriving_ports", nil,
        [
          Rule([isPolicyLocalPort, isFromOutside], .verdict(.goto(BucketList.localOfPorts.chain))),
          Rule([], .verdict(.goto(BucketList.allOfPorts.chain))),
        ]),
      Room(
        BucketList.all.chain, nil,
        [
          Rule(
            verdictOf: .destination(family), .transportProtocol, .destinationPort,
            in: NamedMap(.affinityChains, family))
        ]),
      Room(
        BucketList.allOfPorts.chain, nil,
        [
          Rule(
            verdictOf: .transportProtocol, .destinationPort,
            in: NamedMap(.affinityPortChains, family))
        ]),
      Room(BucketList.local.chain, nil, []),
      Room(BucketList.localOfPorts.chain, nil, []),
    ]
  }

  private static func prerouting(_ family: IPFamily) -> Room {
    Room(
      "prerouting", hook(.nat, .prerouting),
      // Back from the first if the address is also the node's own and the port nobody's.
      twice(Rule([.destination(family, isIn: .addresses)], .verdict(.jump(to: "arriving"))))
        + twice(Rule(isOwnPort(family), .verdict(.jump(to: "arriving_ports")))))
  }

  /// A rule that is asked again if it has led nowhere.
  ///
  /// A change is in force at once, but each look into a set is a look of its own: a packet that is on
  /// its way meanwhile may have found a frontend not yet in its new shape and then no more in its old
  /// one. The second time it meets the new state alone. What is served pays nothing for that.
  private static func twice(_ rule: Rule) -> [Rule] { [rule, rule] }

  /// What goes to an address of the node at which ports are open.
  private static func isOwnPort(_ family: IPFamily) -> [Match] {
    [.destination(family, isIn: .nodeAddresses), .destinationIsLocal]
  }

  private static func hook(_ kind: Hook.Kind, _ place: Hook.Place) -> Hook {
    let usual: Hook.Priority =
      switch (kind, place) {
      case (.filter, _): .filter
      case (.nat, .postrouting): .sourceNAT
      case (.nat, _): .destinationNAT
      }
    return Hook(
      kind, at: place,
      priority: kind == .nat ? Hook.Priority(usual.value - 1) : usual)
  }
}

// MARK: - Sources

extension ServiceLayout {
  private static func hiding(_ family: IPFamily) -> [Room] {
    [
      postrouting(family),
      Room(
        "hide", nil,
        [
          Rule([sent(to: .masqueradeAddresses, family)], .masqueradeFullyRandom),
          Rule([sent(to: .masqueradeOwn, family), .sourceIsLocal], .masqueradeFullyRandom),
          // The same port of a service's address is another thing than the node's own.
          Rule(
            [
              .fields(.originalDestination(family), areIn: ServiceSet.addresses.set(family))
            ], .verdict(.return)),
          Rule(sent(toPortIn: .masqueradePorts, family), .masqueradeFullyRandom),
          Rule(
            sent(toPortIn: .masqueradeOwnPorts, family) + [.sourceIsLocal], .masqueradeFullyRandom),
        ]),
    ]
  }

  /// What was sent to a frontend that is in a set, before it was translated.
  private static func sent(to set: ServiceSet, _ family: IPFamily) -> Match {
    .fields(
      .originalDestination(family), .transportProtocol, .originalDestinationPort,
      areIn: set.set(family))
  }

  /// What was sent to a port of the node that is in a set, before it was translated.
  private static func sent(toPortIn set: ServiceSet, _ family: IPFamily) -> [Match] {
    [
      .fields(.originalDestination(family), areIn: ServiceSet.nodeAddresses.set(family)),
      .fields(.transportProtocol, .originalDestinationPort, areIn: set.set(family)),
    ]
  }

  private static func postrouting(_ family: IPFamily) -> Room {
    Room(
      "postrouting", hook(.nat, .postrouting),
      [
        Rule(
          [
            .connection(.destinationTranslated),
            .fields(
              .source(family), .destination(family), areIn: ServiceSet.hairpin.set(family)),
          ], .masqueradeFullyRandom),
        Rule(
          [.connection(.destinationTranslated), .source(of: family, isNotIn: .cluster)],
          .verdict(.goto("hide"))),
      ])
  }
}

// MARK: - What nobody serves

extension ServiceLayout {
  private static func refusing(_ family: IPFamily) -> [Room] {
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

  private static func forward(_ family: IPFamily) -> Room {
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

// MARK: - What only some may use

extension ServiceLayout {
  private static func guarding(_ family: IPFamily) -> [Room] {
    let before = Hook.Priority(Hook.Priority.destinationNAT.value - 10)
    let isStranger = Match.fields(
      .destination(family), .transportProtocol, .destinationPort, .source(family),
      areNotIn: ServiceSet.allowed.set(family))
    let isStrangerToPort = Match.fields(
      .transportProtocol, .destinationPort, .source(family),
      areNotIn: ServiceSet.allowedPorts.set(family))
    return [
      Room(
        "guard", Hook(.filter, at: .prerouting, priority: before),
        [Rule([.connection(.new)], .verdict(.jump(to: "guarding")))]),
      Room(
        "guarding", nil,
        [
          Rule(
            [.frontend(family, isIn: ServiceSet.guarded.set(family)), isStranger], .verdict(.drop)),
          Rule(
            [.port(isIn: ServiceSet.guardedPorts.set(family))] + isOwnPort(family)
              + [isStrangerToPort], .verdict(.drop)),
        ]),
    ]
  }
}

extension Match {
  /// The destination address is in a set. nft: `ip daddr @set`
  fileprivate static func destination(_ family: IPFamily, isIn set: ServiceSet) -> Match {
    .fields(.destination(family), areIn: set.set(family))
  }

  /// The source address is not in a set. nft: `ip saddr != @set`
  fileprivate static func source(of family: IPFamily, isNotIn set: ServiceSet) -> Match {
    .fields(.source(family), areNotIn: set.set(family))
  }
}
