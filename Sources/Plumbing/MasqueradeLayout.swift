internal import Addressing
internal import Netlink
internal import Nftables

/// What our table holds for masquerading, and why it is made so.
///
///     set masquerade_v4     { 10.1.2.3 }             pods whose address is hidden
///     map egress_v4         { 10.1.2.3 : 192.0.2.7 } who is seen under a chosen address outside
///     set own_subnet_v4_24  { 10.1.2.3 . 10.1.2.0 }  where it is not, for prefixes of 24 bits; also
///                                                    for what `ipMasq.except` names
///
///     chain masquerade_pods {    hooked into postrouting
///       jump within_cluster      where pods of all nodes see each other as they are
///       ip daddr 224.0.0.0/4 return
///       ip saddr @masquerade_v4 goto masquerade_v4
///     }
///     chain masquerade_v4 {
///       ip saddr . ip daddr & 255.255.255.0 @own_subnet_v4_24 return
///       snat ip to ip saddr map @egress_v4
///       masquerade
///     }
///
/// A pod is elements and never a rule, so neither a packet nor an ADD costs more with more pods;
/// chains grow with the number of different prefix lengths on the node, which is one or two. Not
/// taken were: a map from the pod to a chain of its subnet, since the kernel checks all elements
/// of a map of jumps whenever one is added (measured: 0.4 ms at 10 000 pods); a set of subnets as
/// ranges beside the pods, since the kernel refuses ranges that overlap, and subnets may.
enum MasqueradeLayout {
  /// The chain that packets enter; `masquerade` alone is a word of nft's and could not be loaded.
  static let entry = Chain(
    "masquerade_pods", in: .ours, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))

  /// Which addresses an attachment alone has.
  static let exclusive = OwnerRegister("masquerade_owners", in: .ours)
  /// Which addresses attachments of several networks have.
  static let shared = OwnerRegister("masquerade_shared", in: .ours)

  /// The pods of a family.
  static func sources(_ family: IPFamily) -> NamedSet {
    NamedSet(chainName(family), in: .ours, key: [family.dataType])
  }

  /// The pods whose own subnet has a prefix of this length, each with its subnet.
  static func ownSubnets(_ prefix: Prefix) -> NamedSet {
    NamedSet(
      "\(ownSubnetPrefix(prefix.family))\(prefix.length)", in: .ours,
      key: [prefix.family.dataType, prefix.family.dataType])
  }

  /// The pods of a family that leave under a chosen address, each with that address.
  static func egress(_ family: IPFamily) -> NamedMap {
    NamedMap(
      "egress_\(family.shortName)", in: .ours, key: [family.dataType], value: [family.dataType])
  }

  /// The chain for packets of pods.
  static func chain(_ family: IPFamily) -> Chain {
    Chain(chainName(family), in: .ours)
  }

  private static func chainName(_ family: IPFamily) -> String {
    "masquerade_\(family.shortName)"
  }

  private static func ownSubnetPrefix(_ family: IPFamily) -> String {
    "own_subnet_\(family.shortName)_"
  }
}

extension MasqueradeLayout {
  /// Where the elements of an address stand.
  static func source(_ address: IPAddress) -> ElementQuery {
    ElementQuery(ElementKey(.address(address)), in: sources(address.family))
  }

  /// Where the element stands that gives an address its own outside.
  static func egress(_ address: IPAddress) -> ElementQuery {
    ElementQuery(ElementKey(.address(address)), in: egress(address.family).set)
  }

  /// Where the element stands that spares an address's own subnet, or another one.
  static func ownSubnet(_ address: HiddenAddress) -> ElementQuery {
    ElementQuery(
      ElementKey(.address(address.address), .address(address.spared.first)),
      in: ownSubnets(address.prefix))
  }

  /// The prefixes for which there is a set.
  static func prefixes(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> Set<Prefix>
  {
    let names = try socket.setNames(in: .ours)
    var prefixes: Set<Prefix> = []
    for family in IPFamily.allCases {
      for prefix in Prefix.all(family) where names.contains(ownSubnets(prefix).name) {
        prefixes.insert(prefix)
      }
    }
    return prefixes
  }

  /// Whether all is there that stays there, besides the sets of single prefixes.
  static func isLaid(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> Bool
  {
    try socket.listedChain(entry).map { $0.uses >= entryRules.count } ?? false
  }

  /// Whether all rules are there that these addresses need.
  static func isWhole(
    for addresses: [HiddenAddress], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    guard try isLaid(on: socket) else { return false }
    for family in Set(addresses.map(\.family)) {
      // Each is jumped to once, spares the subnets of at least one length, gives some an address of
      // their own, and masquerades.
      guard let uses = try socket.listedChain(chain(family))?.uses, uses >= 4 else { return false }
    }
    return true
  }

  /// Makes all that stays, afresh; elements are left alone.
  static func lay(for prefixes: Set<Prefix>, in transaction: inout Transaction) {
    transaction.add(.ours)
    transaction.add(exclusive.set)
    transaction.add(shared.set)
    for family in IPFamily.allCases {
      transaction.add(sources(family))
      transaction.add(egress(family))
    }
    for prefix in prefixes {
      transaction.add(ownSubnets(prefix))
    }
    transaction.add(entry)
    for family in IPFamily.allCases {
      transaction.add(chain(family))
      transaction.flush(chain(family))
      for prefix in prefixes.sorted(by: { $0.length > $1.length }) where prefix.family == family {
        transaction.append(ownSubnetRule(prefix), to: chain(family))
      }
      transaction.append(
        Rule([.family(family)], sourceOf: .source(family), in: egress(family), family),
        to: chain(family))
      transaction.append(Rule([], .masquerade), to: chain(family))
    }
    transaction.add(withinCluster)
    transaction.flush(entry)
    for rule in entryRules {
      transaction.append(rule, to: entry)
    }
  }

  private static var entryRules: [Rule] {
    [Rule([], .verdict(.jump(to: withinCluster.name)))]
      + IPFamily.allCases.map { family in
        Rule(
          [.family(family), .destination(isIn: .multicast(family))], .verdict(.return),
          comment: "multicast keeps its source")
      }
      + IPFamily.allCases.map { family in
        Rule(
          [.family(family), .fields(.source(family), areIn: sources(family))],
          .verdict(.goto(chainName(family))))
      }
  }

  private static func ownSubnetRule(_ prefix: Prefix) -> Rule {
    Rule(
      [
        .family(prefix.family),
        .fields(.source(prefix.family), .destinationNetwork(prefix), areIn: ownSubnets(prefix)),
      ], .verdict(.return))
  }
}
