internal import Addressing
internal import Netlink
internal import Nftables
internal import Plumbing

/// What our tables hold for the firewall, and why it is made so.
///
///     set firewall_v4      { 10.1.2.3 }        pods
///     set firewall_bridges { "cni0" }          bridges with a policy
///     set firewall_within  { "cni0" . "cni0" } those whose pods may speak to each other
///
///     chain CNI-ADMIN { }                      the administrator's; made once, never touched
///     chain firewall_forward {                 hooked into forward
///       iifname @firewall_bridges oifname @firewall_bridges
///         iifname . oifname != @firewall_within drop
///       jump CNI-ADMIN
///       ip daddr @firewall_v4 ct state established,related accept
///       ip saddr @firewall_v4 accept
///     }
///
/// A pod is elements and never a rule, so neither a packet nor an ADD costs more with more pods. A
/// bridge's elements stay when its pods go, as upstream's rules do: what denies is never removed
/// while there is something to deny.
///
/// What is accepted here is accepted by this chain alone. The chain's policy is accept; an
/// administrator may make it `drop`, and then pods may do what the rules say, and nobody else
/// anything. A chain of somebody else that drops, drops all the same, since all hooked chains must
/// let a packet pass (``ForwardBlocker``).
enum FirewallLayout {
  /// Which addresses an attachment has, and which other packet filter knows them.
  static let owners = OwnerRegister("firewall_owners", in: .ours)
  /// Bridges with a policy.
  static let bridges = NamedSet("firewall_bridges", in: .ours, key: [.interfaceName])
  /// Such bridges, twice each, whose pods may speak to each other.
  static let within = NamedSet(
    "firewall_within", in: .ours, key: [.interfaceName, .interfaceName])
  /// The chain that packets enter.
  static let entry = Chain(
    "firewall_forward", in: .ours, hook: Hook(.filter, at: .forward, priority: .filter))

  /// The pods of a family.
  static func pods(_ family: IPFamily) -> NamedSet {
    NamedSet("firewall_\(family.shortName)", in: .ours, key: [family.dataType])
  }

  /// Where the element of an address stands.
  static func pod(_ address: IPAddress) -> ElementQuery {
    ElementQuery(ElementKey(.address(address)), in: pods(address.family))
  }

  /// What all comments of jumps to administrators' chains begin with.
  private static let adminSign = "the administrator's: "

  /// Starts a change with the commands that make what is missing of all that stays.
  static func change(
    with admin: String, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Transaction {
    let generation = try socket.generation()
    guard let admins = try missingRules(with: admin, on: socket) else { return Transaction() }
    var transaction = Transaction(onlyIn: generation)
    try lay(admins: admins, in: &transaction, on: socket)
    return transaction
  }

  /// The administrators' chains to lay the rules with if a rule is missing; nil if all are there.
  static func missingRules(
    with admin: String, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [String]? {
    let comments = try socket.listedRules(of: entry).compactMap(\.comment)
    let wanted = rules(admins: [admin]).map { $0.comment ?? "" }
    guard !wanted.allSatisfy(comments.contains) else { return nil }
    let others = comments.filter { $0.hasPrefix(adminSign) && $0 != adminSign + admin }
    return others.map { String($0.dropFirst(adminSign.count)) } + [admin]
  }

  /// Makes all that stays, afresh; elements, administrators' chains and the chain's policy are left
  /// alone.
  private static func lay(
    admins: [String], in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    transaction.add(.ours)
    for set in [owners.set, bridges, within] + IPFamily.allCases.map(pods) {
      transaction.add(set)
    }
    for admin in admins {
      transaction.add(Chain(admin, in: .ours))
    }
    // To add a chain that is there would give it back the policy accept.
    if try socket.listedChain(entry) == nil {
      transaction.add(entry)
    }
    transaction.flush(entry)
    for rule in rules(admins: admins) {
      transaction.append(rule, to: entry)
    }
  }

  private static func rules(admins: [String]) -> [Rule] {
    [
      Rule(
        [
          .fields(.inputName, areIn: bridges), .fields(.outputName, areIn: bridges),
          .fields(.inputName, .outputName, areNotIn: within),
        ], .verdict(.drop), comment: "ingressPolicy")
    ]
      + admins.map { Rule([], .verdict(.jump(to: $0)), comment: adminSign + $0) }
      + IPFamily.allCases.map { family in
        Rule(
          [
            .family(family), .fields(.destination(family), areIn: pods(family)),
            .connection([.established, .related]),
          ], .verdict(.accept), comment: "answers to pods, \(family)")
      }
      + IPFamily.allCases.map { family in
        Rule(
          [.family(family), .fields(.source(family), areIn: pods(family))], .verdict(.accept),
          comment: "what pods send, \(family)")
      }
  }
}

/// What our table for bridges holds for the firewall.
///
///     set firewall_isolated { "cni0" }
///     chain firewall_frames { hooked into forward: ibrname @firewall_isolated drop }
///
/// A frame from one port of a bridge to another passes no chain of the layer above unless the module
/// `br_netfilter` sends it there.
enum FrameLayout {
  /// Bridges whose ports do not speak to each other.
  static let isolated = NamedSet("firewall_isolated", in: .oursOnBridges, key: [.interfaceName])
  /// The chain that frames enter.
  private static let entry = Chain(
    "firewall_frames", in: .oursOnBridges,
    hook: Hook(.filter, at: .forward, priority: .bridgeFilter))

  /// Whether all is there that stays there.
  static func isLaid(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> Bool
  {
    try socket.listedChain(entry).map { $0.uses >= 1 } ?? false
  }

  /// Makes all that stays, afresh; elements are left alone.
  static func lay(in transaction: inout Transaction) {
    transaction.add(.oursOnBridges)
    transaction.add(isolated)
    transaction.add(entry)
    transaction.flush(entry)
    transaction.append(
      Rule([.fields(.inputBridgeName, areIn: isolated)], .verdict(.drop), comment: "ingressPolicy"),
      to: entry)
  }
}
