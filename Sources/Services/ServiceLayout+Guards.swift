internal import Addressing
internal import Nftables

// What only some may use.

extension ServiceLayout {
  static func guarding(_ family: IPFamily) -> [Room] {
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
