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

  /// What goes to an address of the node at which ports are open.
  static func isOwnPort(_ family: IPFamily) -> [Match] {
    [.destination(family, isIn: .nodeAddresses), .destinationIsLocal]
  }

  static func hook(_ kind: Hook.Kind, _ place: Hook.Place) -> Hook {
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

extension Match {
  /// The destination address is in a set. nft: `ip daddr @set`
  static func destination(_ family: IPFamily, isIn set: ServiceSet) -> Match {
    .fields(.destination(family), areIn: set.set(family))
  }

  /// The source address is not in a set. nft: `ip saddr != @set`
  static func source(of family: IPFamily, isNotIn set: ServiceSet) -> Match {
    .fields(.source(family), areNotIn: set.set(family))
  }
}
