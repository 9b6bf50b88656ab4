internal import Addressing
internal import Netlink
internal import Nftables

/// What one of our tables holds for spoof checks.
///
///     set spoof_checked { "veth6fd94d50" }                      ports that are checked
///     set spoof_allowed { "veth6fd94d50" . 0a:58:0a:01:02:03 }  the hardware address each may use
///     set source_checked { "veth6fd94d50" }                     ports whose packets are checked too
///     set source_allowed_v4 { "veth6fd94d50" . 10.1.2.3 }       the addresses each may use
///
///     chain spoof_check {  hooked into the bridge's prerouting
///       iifname @spoof_checked iifname . ether saddr != @spoof_allowed drop
///     }
///     chain source_check {  hooked there as well
///       iifname @source_checked jump source_check_port
///     }
///
/// A port is an element for each thing it may use, so a frame costs the same with any number of them.
struct SpoofCheckLayout: Sendable {
  /// Where it stands.
  let table: Table
  /// Which port and addresses an attachment has.
  let register: OwnerRegister
  /// Whether the container's frames come in by a bridge.
  let isOnBridge: Bool

  /// For ports of a bridge, where the container's neighbours are others of its network.
  static let onBridge = SpoofCheckLayout(
    table: .oursOnBridges, register: OwnerRegister("spoof_owners", in: .oursOnBridges),
    isOnBridge: true)
  /// For links that the host routes from, whose only neighbour is the host.
  static let routed = SpoofCheckLayout(
    table: .ours, register: OwnerRegister("spoof_owners", in: .ours), isOnBridge: false)

  private var checked: NamedSet { NamedSet("spoof_checked", in: table, key: [.interfaceName]) }
  private var allowed: NamedSet {
    NamedSet("spoof_allowed", in: table, key: [.interfaceName, .hardwareAddress])
  }
  private var sourceChecked: NamedSet {
    NamedSet("source_checked", in: table, key: [.interfaceName])
  }
  private func sourceAllowed(_ family: IPFamily) -> NamedSet {
    NamedSet(
      "source_allowed_\(family.shortName)", in: table, key: [.interfaceName, family.dataType])
  }

  /// The chain that frames enter.
  private var entry: Chain {
    Chain("spoof_check", in: table, hook: hook)
  }
  /// The chain that packets enter.
  private var sourceEntry: Chain {
    Chain("source_check", in: table, hook: hook)
  }
  /// The chain for packets of ports that are checked.
  private var sourceChain: Chain { Chain("source_check_port", in: table) }

  private var hook: Hook {
    // Before connections are looked up, so that nothing forged is remembered.
    Hook(.filter, at: .prerouting, priority: isOnBridge ? .bridgeDestinationNAT : .raw)
  }
}

extension SpoofCheckLayout {
  /// Where the elements of a port stand; that of the port itself comes first.
  func queries(_ guarded: GuardedPort) -> [ElementQuery] {
    let port = ElementKey.Part.interface(guarded.port)
    var queries: [ElementQuery] = []
    if isOnBridge {
      queries += [
        ElementQuery(ElementKey(port), in: checked),
        ElementQuery(ElementKey(port, .hardwareAddress(guarded.address)), in: allowed),
      ]
    }
    if let sources = guarded.sources {
      queries.append(ElementQuery(ElementKey(port), in: sourceChecked))
      queries += sources.map {
        ElementQuery(ElementKey(port, .address($0)), in: sourceAllowed($0.family))
      }
    }
    return queries
  }

  /// Whether all is there that stays there and that a port of this kind needs.
  func isLaid(
    for guarded: GuardedPort, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    if isOnBridge, try !isWhole(entry, 1, on: socket) { return false }
    guard guarded.sources != nil else { return true }
    guard try isWhole(sourceEntry, 1, on: socket) else { return false }
    return try isWhole(sourceChain, sourceRules.count + 1, on: socket)
  }

  private func isWhole(
    _ chain: Chain, _ uses: Int, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    try socket.listedChain(chain).map { $0.uses >= uses } ?? false
  }

  /// Makes all that stays, afresh; elements are left alone.
  func lay(for guarded: GuardedPort, in transaction: inout Transaction) {
    transaction.add(table)
    transaction.add(register.set)
    if isOnBridge {
      transaction.add(checked)
      transaction.add(allowed)
      transaction.add(entry)
      transaction.flush(entry)
      transaction.append(
        Rule(
          [
            .fields(.inputName, areIn: checked),
            .fields(.inputName, .hardwareSource, areNotIn: allowed),
          ], .verdict(.drop)),
        to: entry)
    }
    guard guarded.sources != nil else { return }
    transaction.add(sourceChecked)
    for family in IPFamily.allCases { transaction.add(sourceAllowed(family)) }
    transaction.add(sourceChain)
    transaction.flush(sourceChain)
    for rule in sourceRules { transaction.append(rule, to: sourceChain) }
    transaction.add(sourceEntry)
    transaction.flush(sourceEntry)
    transaction.append(
      Rule([.fields(.inputName, areIn: sourceChecked)], .verdict(.jump(to: sourceChain.name))),
      to: sourceEntry)
  }
}

extension SpoofCheckLayout {
  /// What a checked port may send; all else is dropped.
  ///
  /// To speak for the network as a router or a server of addresses is nobody's business who has been
  /// given his own address. A tagged frame is read behind its tag.
  private var sourceRules: [Rule] {
    (isOnBridge ? arpRules : []) + v4Rules + v6Rules + [Rule([], .verdict(.drop))]
  }

  private var arpRules: [Rule] {
    [
      Rule(
        [
          .frame(carries: .arp), .fields(.inputName, .arpHardwareSource, areNotIn: allowed),
        ], .verdict(.drop)),
      Rule(
        [.frame(carries: .arp), .fields(.inputName, .arpSource, areIn: sourceAllowed(.v4))],
        .verdict(.return)),
      Rule([.frame(carries: .arp), .arpSourceIsNone], .verdict(.return), comment: "a question"),
    ]
  }

  private var v4Rules: [Rule] {
    [
      Rule(
        [.frame(carries: .ipv4), .destinationPort(68, of: .udp)], .verdict(.drop),
        comment: "serves addresses"),
      Rule(
        [.frame(carries: .ipv4), .fields(.inputName, .source(.v4), areIn: sourceAllowed(.v4))],
        .verdict(.return)),
      Rule(
        [
          .frame(carries: .ipv4), .source(isIn: .none(.v4)), .destinationPort(67, of: .udp),
        ], .verdict(.return), comment: "asks for an address"),
    ]
  }

  private var v6Rules: [Rule] {
    var rules = [NeighbourMessage.routerAdvertisement, .redirect].map {
      Rule(
        [.frame(carries: .ipv6), .neighbour($0)], .verdict(.drop), comment: "speaks as a router")
    }
    rules += [
      Rule(
        [.frame(carries: .ipv6), .destinationPort(546, of: .udp)], .verdict(.drop),
        comment: "serves addresses"),
      Rule(
        [
          .frame(carries: .ipv6), .neighbour(.advertisement),
          .fields(.inputName, .neighbourTarget, areNotIn: sourceAllowed(.v6)),
        ], .verdict(.drop)),
      Rule(
        [.frame(carries: .ipv6), .fields(.inputName, .source(.v6), areIn: sourceAllowed(.v6))],
        .verdict(.return)),
      Rule(
        [
          .frame(carries: .ipv6), .source(isIn: .none(.v6)), .neighbour(.solicitation),
          .fields(.inputName, .neighbourTarget, areIn: sourceAllowed(.v6)),
        ], .verdict(.return), comment: "looks whether its own address is free"),
      Rule(
        [.frame(carries: .ipv6), .source(isIn: .none(.v6)), .neighbour(.groupReport)],
        .verdict(.return)),
    ]
    return rules
  }

  private typealias NeighbourMessage = Match.NeighbourMessage
}

extension Subnet {
  /// The address that stands for having none.
  fileprivate static func none(_ family: IPFamily) -> Subnet {
    Subnet(
      containing: Subnet.everything(family).first, prefix: .host(family))
  }
}
