internal import Addressing
internal import Nftables

// Where packets to services go.

extension ServiceLayout {
  static func translating(_ family: IPFamily) -> [Room] {
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

  static func prerouting(_ family: IPFamily) -> Room {
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
}
