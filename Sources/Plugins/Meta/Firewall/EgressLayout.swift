internal import Addressing
internal import Netlink
internal import Nftables
internal import Plumbing

/// What our table holds for one egress policy.
///
///     set firewall_egress_v4_ID { 10.1.2.3 }                       pods under it
///     set firewall_to_v4_ID     { 10.0.0.0/8 }                     where they may go
///     set firewall_ports_v4_ID  { 192.0.2.0/24 . tcp . 443 }       where to these ports alone
///
///     chain firewall_egress {       firewall_forward jumps to it
///       ct state established,related return
///       ip saddr @firewall_egress_v4_ID jump firewall_egress_ID
///     }
///     chain firewall_egress_ID {
///       ip daddr @firewall_to_v4_ID return
///       ip daddr . meta l4proto . th dport @firewall_ports_v4_ID return
///       icmpv6 type nd-neighbor-solicit ip6 hoplimit 255 return, and nd-neighbor-advert
///       reject with icmpx admin-prohibited
///     }
///
/// A pod is elements, so a packet costs the same with any number of them; what opens a connection
/// meets one rule for each different policy on the node, which is as many as there are networks at
/// most. Not taken were: a map from the pod to its policy's chain, since the kernel checks all elements
/// of a map of jumps whenever one is added; one set of what each pod may reach, since of a set with
/// ranges in several parts the kernel copies all elements at each commit.
///
/// What is denied is refused and not dropped, since the one who hears it is a pod of this node: its
/// program learns at once what is wrong, instead of waiting for minutes. It is told by ICMP and not by
/// a reset, which says that nobody listens there, and so does no harm to a connection that exists.
struct EgressTable: Sendable {
  /// Which policy.
  let identifier: String

  /// The table of a policy known by name.
  init(identifier: String) { self.identifier = identifier }

  /// The table of a policy.
  init(_ policy: EgressPolicy) { identifier = policy.identifier }

  /// Where all policies are asked.
  static let entry = Chain("firewall_egress", in: .ours)

  /// Where this one is asked.
  var chain: Chain { Chain("\(Self.prefix)\(identifier)", in: .ours) }

  /// The pods under it.
  func pods(_ family: IPFamily) -> NamedSet {
    NamedSet(
      "firewall_egress_\(family.shortName)_\(identifier)", in: .ours, key: [family.dataType])
  }

  private func networks(_ family: IPFamily) -> NamedSet {
    NamedSet(
      "firewall_to_\(family.shortName)_\(identifier)", in: .ours, key: [family.dataType],
      kind: .ranges)
  }

  private func ports(_ family: IPFamily) -> NamedSet {
    NamedSet(
      "firewall_ports_\(family.shortName)_\(identifier)", in: .ours,
      key: [family.dataType, .transportProtocol, .port], kind: .ranges)
  }

  private static let prefix = "firewall_egress_"
}

extension EgressTable {
  /// Whether everything is there that makes a policy hold for the pods under it.
  func holds(
    _ policy: EgressPolicy, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    let comments = try socket.listedRules(of: Self.entry).compactMap(\.comment)
    guard comments.first == Self.answers else { return false }
    for family in IPFamily.allCases where !comments.contains(comment(family)) { return false }
    // Each rule counts as a use of the chain, and each family's jump.
    guard let uses = try socket.listedChain(chain)?.uses,
      uses >= rules(policy).count + IPFamily.allCases.count
    else { return false }
    for content in contents(policy) {
      let found = try socket.elements(of: content.set)
      guard found.count == content.elements.count else { return false }
      // They come in the order in which they were added, or else are looked for one by one.
      guard found == content.elements || content.elements.allSatisfy(found.contains) else {
        return false
      }
    }
    return true
  }

  /// Makes all that a policy needs, afresh; the pods under it are left alone.
  func lay(
    _ policy: EgressPolicy, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    for family in IPFamily.allCases {
      transaction.add(pods(family))
    }
    for content in contents(policy) {
      transaction.add(content.set)
      transaction.flush(content.set)
      transaction.add(content.elements, to: content.set, ifThere: .refused)
    }
    transaction.add(chain)
    transaction.flush(chain)
    for rule in rules(policy) { transaction.append(rule, to: chain) }

    var identifiers = [identifier]
    for rule in try socket.listedRules(of: Self.entry) {
      guard let other = rule.comment.flatMap(Self.identifier), !identifiers.contains(other) else {
        continue
      }
      identifiers.append(other)
    }
    transaction.add(Self.entry)
    transaction.flush(Self.entry)
    transaction.append(
      Rule([.connection([.established, .related])], .verdict(.return), comment: Self.answers),
      to: Self.entry)
    for identifier in identifiers {
      let table = EgressTable(identifier: identifier)
      for family in IPFamily.allCases {
        transaction.append(table.jump(family), to: Self.entry)
      }
    }
  }

  /// Forgets the policies that no pod is under.
  ///
  /// A policy comes with its first pod in one transaction, so one without pods is nobody's.
  static func collectGarbage(
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    for name in try socket.chainNames(in: .ours) where name.hasPrefix(prefix) {
      let table = EgressTable(identifier: String(name.dropFirst(prefix.count)))
      try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
        var transaction = Transaction(onlyIn: try socket.generation())
        for family in IPFamily.allCases {
          guard try socket.elements(of: table.pods(family)).isEmpty else { return Transaction() }
        }
        let own = IPFamily.allCases.map(table.comment)
        for rule in try socket.listedRules(of: entry)
        where rule.comment.map(own.contains) == true {
          transaction.delete(rule, of: entry)
        }
        transaction.flush(table.chain)
        transaction.delete(table.chain)
        let sets = IPFamily.allCases.flatMap {
          [table.pods($0), table.networks($0), table.ports($0)]
        }
        let names = try socket.setNames(in: .ours)
        for set in sets where names.contains(set.name) { transaction.delete(set) }
        return transaction
      }
    }
  }
}

extension EgressTable {
  private static let answers = "answers of pods, and errors about them"

  private func comment(_ family: IPFamily) -> String { "\(identifier), \(family)" }

  /// Whose rule this is; nil if it is everybody's.
  private static func identifier(in comment: String) -> String? {
    comment == answers ? nil : comment.split(separator: ",").first.map(String.init)
  }

  private func jump(_ family: IPFamily) -> Rule {
    Rule(
      [.family(family), .fields(.source(family), areIn: pods(family))],
      .verdict(.jump(to: chain.name)), comment: comment(family))
  }

  /// What one set of ranges holds, and the rule that looks into it.
  private struct Content {
    let set: NamedSet
    let elements: [Element]
    let rule: Rule
  }

  /// The sets of ranges that have something in them.
  private func contents(_ policy: EgressPolicy) -> [Content] {
    var contents: [Content] = []
    func add(_ set: NamedSet, _ elements: [Element], _ family: IPFamily, _ isIn: Match) {
      guard !elements.isEmpty else { return }
      let rule = Rule([.family(family), isIn], .verdict(.return))
      contents.append(Content(set: set, elements: elements, rule: rule))
    }
    for family in IPFamily.allCases {
      var elements: [Element] = []
      for span in policy.networks where span.first.family == family {
        elements.append(
          Element(
            from: ElementKey(.address(span.first)), through: ElementKey(.address(span.last))))
      }
      let (networks, ports) = (networks(family), ports(family))
      add(networks, elements, family, .fields(.destination(family), areIn: networks))
      elements = []
      for allowed in policy.ports where allowed.addresses.first.family == family {
        func key(_ address: IPAddress, _ port: UInt16) -> ElementKey {
          ElementKey(
            .address(address), .transportProtocol(allowed.transport.rawValue), .port(port))
        }
        let first = key(allowed.addresses.first, allowed.first)
        let last = key(allowed.addresses.last, allowed.last)
        // As the kernel lists them.
        elements.append(first == last ? Element(first) : Element(from: first, through: last))
      }
      add(
        ports, elements, family,
        .fields(.destination(family), .transportProtocol, .destinationPort, areIn: ports))
    }
    return contents
  }

  private func rules(_ policy: EgressPolicy) -> [Rule] {
    contents(policy).map(\.rule) + Self.neighbourRules
      + [Rule([], .reject(.prohibited), comment: "egressPolicy")]
  }

  /// How pods on a bridge find each other's hardware addresses, where such packets are seen here.
  ///
  /// What has been routed has lost a hop of the 255 that these begin with (RFC 4861, section 7.1).
  private static var neighbourRules: [Rule] {
    [Match.NeighbourMessage.solicitation, .advertisement].map { message in
      Rule(
        [.family(.v6), .neighbour(message)],
        steps: [
          .payload(.network, offset: 7, length: 1, into: Register(0)),
          .compare(Register(0), .equal, [255]), .verdict(.return),
        ], comment: "between neighbours")
    }
  }
}
