import Addressing
import Netlink
import Nftables
import Plumbing

/// What our table holds for port mappings, and why it is made so.
///
///     map ports_v4          { tcp . 8080 : 10.1.2.3 . 80 }               for all of the host
///     map host_ports_v4     { 192.0.2.1 . tcp . 53 : 10.1.2.3 . 53 }     for one address of it
///     set port_sources_v4_24 { 10.1.2.0 . 10.1.2.3 }                     whose source is hidden
///
///     chain portmap_prerouting {     hooked in behind dstnat
///       ip daddr 127.0.0.0/8 return
///       fib daddr type local jump portmap
///     }
///     chain portmap { jump portmap_v4 }
///     chain portmap_v4 {
///       meta mark set meta mark | 0x1000 dnat ip to ip daddr . meta l4proto . th dport map @host_ports_v4
///       meta mark set meta mark | 0x1000 dnat ip to meta l4proto . th dport map @ports_v4
///     }
///     chain portmap_postrouting { meta mark & 0x1000 == 0x1000 ct status dnat jump portmap_sources }
///     chain portmap_sources { ip saddr & 255.255.255.0 . ip daddr @port_sources_v4_24 masquerade }
///
/// A mapping is an element and never a rule, so neither a connection nor an ADD costs more with
/// more of them. The values are addresses, not verdicts, and the keys no ranges: the kernel would
/// go through all of either at each commit.
///
/// Behind dstnat, because whoever translates there meant a narrower thing: a service's port or
/// address (CVE-2019-9946). Only what goes to the host itself is translated (CVE-2025-67499). From
/// outside nothing reaches a mapping on a loopback address. The mark says only "came through a mapping",
/// for as long as the connection's first packet is on its way; without it
/// connections that services of others brought to the pod would be taken for ours.
enum PortMapLayout {
  /// Which elements an attachment has.
  static let owners = OwnerRegister("portmap_owners", in: .ours)

  /// Just behind those who translate for services.
  private static let priority = Hook.Priority(Hook.Priority.destinationNAT.value + 10)
  private static let prerouting = Chain(
    "portmap_prerouting", in: .ours, hook: Hook(.nat, at: .prerouting, priority: priority))
  private static let output = Chain(
    "portmap_output", in: .ours, hook: Hook(.nat, at: .output, priority: priority))
  private static let postrouting = Chain(
    "portmap_postrouting", in: .ours, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))
  private static let entry = Chain("portmap", in: .ours)
  private static let hidden = Chain("portmap_sources", in: .ours)

  /// The links behind which loopback addresses of the host are not to be had.
  static let guardedLinks = NamedSet("portmap_guarded", in: .ours, key: [.interfaceName])
  private static let guarding = Chain(
    "portmap_guard", in: .ours, hook: Hook(.filter, at: .prerouting, priority: .raw))

  /// The map that a mapping stands in.
  static func ports(_ forward: PortForward, _ group: String) -> NamedMap {
    forward.hostAddress == nil
      ? ports(forward.family, group) : hostPorts(forward.family, group)
  }

  private static func ports(_ family: IPFamily, _ group: String) -> NamedMap {
    NamedMap(
      "ports_\(family.shortName)\(group)", in: .ours, key: [.transportProtocol, .port],
      value: [family.dataType, .port])
  }

  private static func hostPorts(_ family: IPFamily, _ group: String) -> NamedMap {
    NamedMap(
      "host_ports_\(family.shortName)\(group)", in: .ours,
      key: [family.dataType, .transportProtocol, .port], value: [family.dataType, .port])
  }

  /// The networks of this prefix whose packets take the host's address, each with the pod they go
  /// to; for all sources the pods alone.
  static func sources(_ prefix: Prefix) -> NamedSet {
    NamedSet(
      sourcesName(prefix), in: .ours,
      key: [DataType](repeating: prefix.family.dataType, count: prefix.length == 0 ? 1 : 2))
  }

  private static func sourcesName(_ prefix: Prefix) -> String {
    "port_sources_\(prefix.family.shortName)_\(prefix.length)"
  }

  private static func chain(_ family: IPFamily, _ group: PortMapGroup) -> Chain {
    Chain("portmap_\(family.shortName)\(group.suffix)", in: .ours)
  }
}

extension PortMapLayout {
  /// Whether all rules and sets are there that a group needs, and those of these prefixes.
  static func isLaid(
    for group: PortMapGroup, _ prefixes: Set<Prefix>,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    // Rules and jumps that lead there, added up.
    var expected = [
      (prerouting, 3), (output, 1), (postrouting, 1), (hidden, prefixes.isEmpty ? 1 : 2),
      (guarding, 2),
    ]
    for family in IPFamily.allCases { expected.append((chain(family, group), 3)) }
    for (chain, uses) in expected {
      guard let found = try socket.listedChain(chain)?.uses, found >= uses else { return false }
    }
    for prefix in prefixes where try !socket.has(sources(prefix)) { return false }
    return true
  }

  /// Makes all that stays and is missing; elements are left alone.
  ///
  /// It looks before it says what to do, so the transaction must be bound to a generation.
  static func lay(
    for group: PortMapGroup, _ prefixes: Set<Prefix>, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let names = Set(try socket.setNames(in: .ours))
    let allPrefixes = prefixes.union(
      IPFamily.allCases.flatMap(Prefix.all).filter { names.contains(sourcesName($0)) })
    transaction.add(.ours)
    transaction.add(owners.set)
    transaction.add(guardedLinks)
    for prefix in allPrefixes { transaction.add(sources(prefix)) }
    for family in IPFamily.allCases {
      transaction.add(ports(family, group.suffix))
      transaction.add(hostPorts(family, group.suffix))
      transaction.add(chain(family, group))
    }
    for chain in [prerouting, output, postrouting, entry, hidden, guarding] {
      transaction.add(chain)
    }
    for (chain, rules) in fixedRules + [(hidden, hiddenRules(allPrefixes))] {
      transaction.flush(chain)
      for rule in rules { transaction.append(rule, to: chain) }
    }
    for family in IPFamily.allCases {
      transaction.flush(chain(family, group))
      for rule in portRules(family, group) { transaction.append(rule, to: chain(family, group)) }
    }
    for (chain, rule) in sharedRules(group) {
      // Others have rules in these chains too; what stands beside ours tells which it is.
      let present = try socket.listedRules(of: chain).contains { $0.comment == rule.comment }
      if !present { transaction.append(rule, to: chain) }
    }
  }

  private static var fixedRules: [(Chain, [Rule])] {
    let toMappings = Rule([.destinationIsLocal], .verdict(.jump(to: entry.name)))
    return [
      (
        prerouting,
        [
          Rule([.family(.v4), .destination(isIn: .loopback)], .verdict(.return)),
          Rule([.family(.v6), .destination(isIn: .loopbackV6)], .verdict(.return)),
          toMappings,
        ]
      ),
      (output, [toMappings]),
      (
        guarding,
        [Match.destination(isIn: .loopback), .source(isIn: .loopback)].map { address in
          Rule([.family(.v4), address, .fields(.inputName, areIn: guardedLinks)], .verdict(.drop))
        }
      ),
    ]
  }

  private static func portRules(_ family: IPFamily, _ group: PortMapGroup) -> [Rule] {
    [
      Rule(
        [.family(family)],
        destinationOf: .destination(family), .transportProtocol, .destinationPort,
        in: hostPorts(family, group.suffix), family, marking: group.mark),
      Rule(
        [.family(family)], destinationOf: .transportProtocol, .destinationPort,
        in: ports(family, group.suffix), family, marking: group.mark),
    ]
  }

  /// The rules through which packets reach a group, and those it has marked are found again.
  private static func sharedRules(_ group: PortMapGroup) -> [(Chain, Rule)] {
    var rules = IPFamily.allCases.map { family in
      let name = chain(family, group).name
      return (
        entry,
        Rule(
          [.family(family)] + (group.conditions[family] ?? []), .verdict(.jump(to: name)),
          comment: name)
      )
    }
    rules.append(
      (
        postrouting,
        Rule(
          [.mark(has: group.mark), .connection(.destinationTranslated)],
          .verdict(.jump(to: hidden.name)),
          comment: "came through a mapping of mark 0x\(String(group.mark, radix: 16))")
      ))
    return rules
  }

  private static func hiddenRules(_ prefixes: Set<Prefix>) -> [Rule] {
    let order = IPFamily.allCases.flatMap(Prefix.all).filter(prefixes.contains)
    return order.map { prefix in
      let pods: Match =
        prefix.length == 0
        ? .fields(.destination(prefix.family), areIn: sources(prefix))
        : .fields(.sourceNetwork(prefix), .destination(prefix.family), areIn: sources(prefix))
      return Rule([.family(prefix.family), pods], .masquerade)
    }
  }
}

extension Subnet {
  /// ::1 alone.
  fileprivate static let loopbackV6 = Subnet(
    containing: IPAddress(bits: 1, family: .v6), prefix: .host(.v6))
}
