internal import Addressing
internal import Nftables

// Which clients take the node's address.

extension ServiceLayout {
  static func hiding(_ family: IPFamily) -> [Room] {
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

  static func postrouting(_ family: IPFamily) -> Room {
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
