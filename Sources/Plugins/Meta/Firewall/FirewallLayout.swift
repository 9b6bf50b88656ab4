internal import Addressing
internal import Netlink
internal import Nftables
internal import Plumbing

/// What our tables hold for the firewall, and why it is made so.
///
///     set firewall_v4      { 10.1.2.3 }        pods
///     set firewall_invalid_v4 { 10.1.2.3 }     those of `dropInvalid`
///     set firewall_bridges { "cni0" }          bridges with a policy
///     set firewall_within  { "cni0" . "cni0" } those whose pods may speak to each other
///
///     chain CNI-ADMIN { }                      the administrator's; made once, never touched
///     chain firewall_forward {                 hooked into forward
///       iifname @firewall_bridges oifname @firewall_bridges
///         iifname . oifname != @firewall_within drop
///       jump CNI-ADMIN
///       ct state invalid jump firewall_invalid
///       ip daddr @firewall_v4 ct state established,related accept
///       jump firewall_egress                   see EgressTable
///       ip saddr @firewall_v4 accept
///     }
///     chain firewall_invalid {
///       ip saddr @firewall_invalid_v4 drop
///       ip daddr @firewall_invalid_v4 drop
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

  /// The pods of a family whose packets without a connection are dropped.
  private static func invalid(_ family: IPFamily) -> NamedSet {
    NamedSet("firewall_invalid_\(family.shortName)", in: .ours, key: [family.dataType])
  }
  /// The chain for packets without a connection.
  private static let invalid = Chain("firewall_invalid", in: .ours)

  /// Where the elements of a pod stand.
  static func elements(of entry: PodEntry) -> [ElementQuery] {
    entry.addresses.flatMap { address in
      let key = ElementKey(.address(address))
      var queries = [pod(address)]
      if entry.dropsInvalid {
        queries.append(ElementQuery(key, in: invalid(address.family)))
      }
      if let policy = entry.egress {
        queries.append(ElementQuery(key, in: policy.pods(address.family)))
      }
      return queries
    }
  }

  /// Where the element of an address stands.
  static func pod(_ address: IPAddress) -> ElementQuery {
    ElementQuery(ElementKey(.address(address)), in: pods(address.family))
  }

  /// What all comments of jumps to administrators' chains begin with.
  private static let adminSign = "the administrator's: "
  /// The comments of rules that only some pods need.
  private static let egressSign = "egressPolicy"
  private static let invalidSign = "dropInvalid"

  /// Starts a change with the commands that make what is missing of all that stays.
  static func change(
    with admin: String, _ limits: PodLimits = .none,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Transaction {
    let generation = try socket.generation()
    let admins = try missingRules(with: admin, limits, on: socket)
    let lacksPolicy = try !holds(limits.egress, on: socket)
    guard admins != nil || lacksPolicy else { return Transaction() }
    var transaction = Transaction(onlyIn: generation)
    if let admins {
      try lay(admins: admins, in: &transaction, on: socket)
    }
    if lacksPolicy, let policy = limits.egress {
      try EgressTable(policy).lay(policy, in: &transaction, on: socket)
    }
    return transaction
  }

  /// Whether everything is there that makes a policy hold; none always does.
  static func holds(
    _ policy: EgressPolicy?, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    guard let policy else { return true }
    return try EgressTable(policy).holds(policy, on: socket)
  }

  /// The administrators' chains to lay the rules with if a rule is missing; nil if all are there.
  static func missingRules(
    with admin: String, _ limits: PodLimits, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [String]? {
    let comments = try socket.listedRules(of: entry).compactMap(\.comment)
    // What only some pods need is not missed by others, so a chain of an older version serves them.
    var spared: [String] = []
    if limits.egress == nil { spared.append(egressSign) }
    if !limits.dropsInvalid { spared.append(invalidSign) }
    let wanted = rules(admins: [admin]).map { $0.comment ?? "" }.filter { !spared.contains($0) }
    var isWhole = wanted.allSatisfy(comments.contains)
    if isWhole, limits.dropsInvalid {
      // Each of its rules counts as a use of the chain, and the jump to it.
      let uses = try socket.listedChain(invalid)?.uses ?? 0
      isWhole = uses >= invalidRules.count + 1
    }
    guard !isWhole else { return nil }
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
    for set in [owners.set, bridges, within]
      + IPFamily.allCases.flatMap({ [pods($0), invalid($0)] })
    {
      transaction.add(set)
    }
    for chain in admins.map({ Chain($0, in: .ours) }) + [EgressTable.entry, invalid] {
      transaction.add(chain)
    }
    transaction.flush(invalid)
    for rule in invalidRules { transaction.append(rule, to: invalid) }
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
      + [
        Rule(
          [.connection(.invalid)], .verdict(.jump(to: invalid.name)), comment: invalidSign)
      ]
      + IPFamily.allCases.map { family in
        Rule(
          [
            .family(family), .fields(.destination(family), areIn: pods(family)),
            .connection([.established, .related]),
          ], .verdict(.accept), comment: "answers to pods, \(family)")
      }
      + [Rule([], .verdict(.jump(to: EgressTable.entry.name)), comment: egressSign)]
      + IPFamily.allCases.map { family in
        Rule(
          [.family(family), .fields(.source(family), areIn: pods(family))], .verdict(.accept),
          comment: "what pods send, \(family)")
      }
  }

  private static var invalidRules: [Rule] {
    IPFamily.allCases.flatMap { family in
      [Field.source(family), .destination(family)].map { field in
        Rule([.family(family), .fields(field, areIn: invalid(family))], .verdict(.drop))
      }
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
