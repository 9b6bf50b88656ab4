import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing

/// What is sent is compared with what nft sends for the same text.
///
/// Both are taken as the kernel lists them back. The goldens are made by `Goldens/make`.
@Suite("A ruleset reads as nft would have written it", .needsRoot)
struct GoldenTests {
  @Test("for sets, chains and rules that masquerade")
  func masquerade() throws {
    let table = Table(family: .inet, name: "golden", comment: "a table with a comment")
    let pods = NamedSet("pods", in: table, key: [.ipv4Address])
    let pods6 = NamedSet("pods6", in: table, key: [.ipv6Address])
    let pairs = NamedSet("pairs", in: table, key: [.ipv4Address, .ipv4Address])
    let pairs6 = NamedSet("pairs6", in: table, key: [.ipv6Address, .ipv6Address])
    let owners = NamedSet("owners", in: table, key: [.mark, .mark, .mark, .mark, .mark])
    let v4 = Chain("masquerade_v4", in: table)
    let v6 = Chain("masquerade_v6", in: table)
    let hooked = Chain(
      "postrouting", in: table, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))

    var all = Transaction()
    all.add(table)
    for set in [pods, pods6, pairs, pairs6, owners] { all.add(set) }
    for chain in [v4, v6, hooked] { all.add(chain) }
    all.append(
      Rule(
        [
          .family(.v4),
          .fields(
            .source(.v4), .destinationNetwork(try Prefix(length: 22, family: .v4)), areIn: pairs),
        ], .verdict(.return)), to: v4)
    all.append(Rule([], .masquerade), to: v4)
    all.append(
      Rule(
        [
          .family(.v6),
          .fields(
            .source(.v6), .destinationNetwork(try Prefix(length: 64, family: .v6)), areIn: pairs6),
        ], .verdict(.return)), to: v6)
    all.append(Rule([], .masquerade, comment: "all else"), to: v6)
    all.append(
      Rule(
        [.family(.v4), .destination(isIn: try Subnet("224.0.0.0/4"))], .verdict(.return),
        comment: "multicast"), to: hooked)
    all.append(
      Rule([.family(.v6), .destination(isIn: try Subnet("ff00::/8"))], .verdict(.return)),
      to: hooked)
    all.append(
      Rule([.family(.v4), .fields(.source(.v4), areIn: pods)], .verdict(.goto("masquerade_v4"))),
      to: hooked)
    all.append(
      Rule([.family(.v6), .fields(.source(.v6), areIn: pods6)], .verdict(.goto("masquerade_v6"))),
      to: hooked)
    let pod = try IPAddress("10.1.2.3")
    let pod6 = try IPAddress("fd00::3")
    all.add(
      Element(
        ElementKey(.address(pod)),
        comment: "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one"),
      to: pods, ifThere: .refused)
    all.add(
      Element(ElementKey(.address(pod), .address(try IPAddress("10.1.2.0")))), to: pairs,
      ifThere: .refused)
    all.add(
      Element(ElementKey(.address(pod6), .address(try IPAddress("fd00::")))), to: pairs6,
      ifThere: .refused)
    all.add(
      Element(
        ElementKey(
          .mark(0x6fd9_4d50), .mark(0x1e58_f0aa), .mark(0x287f_c69e), .mark(0xff05_74a2), .mark(0)),
        comment: "10.1.2.3/24 fd00::3/64"),
      to: owners, ifThere: .kept)

    let changes = try difference(listing(of: all, table), "masquerade")
    #expect(changes == [])
  }

  @Test("for destinations in networks of every kind of length")
  func destinations() throws {
    let table = Table(family: .inet, name: "golden")
    let chain = Chain("c", in: table)
    var all = Transaction()
    all.add(table)
    all.add(chain)
    let rules: [(String, Verdict)] = [
      ("10.0.0.0/8", .accept), ("10.1.0.0/16", .accept), ("10.1.2.0/24", .drop),
      ("10.1.16.0/20", .drop), ("10.1.2.3/32", .return), ("fd00::/8", .accept),
      ("fe80::/10", .accept), ("fd00:1:2:3::/64", .drop), ("fd00::5/128", .return),
    ]
    for (text, verdict) in rules {
      let subnet = try Subnet(text)
      all.append(
        Rule([.family(subnet.family), .destination(isIn: subnet)], .verdict(verdict)), to: chain)
    }
    let changes = try difference(listing(of: all, table), "destinations")
    #expect(changes == [])
  }

  @Test("for new destinations, kinds of destinations, marks and connections")
  func ports() throws {
    let table = Table(family: .inet, name: "golden")
    let any4 = NamedMap(
      "any4", in: table, key: [.transportProtocol, .port], value: [.ipv4Address, .port])
    let own6 = NamedMap(
      "own6", in: table, key: [.ipv6Address, .transportProtocol, .port],
      value: [.ipv6Address, .port])
    let near = NamedSet("near", in: table, key: [.ipv4Address, .ipv4Address])
    let guarded = NamedSet("guarded", in: table, key: [.interfaceName])
    let ports = Chain("ports", in: table)
    let prerouting = Chain(
      "prerouting", in: table, hook: Hook(.nat, at: .prerouting, priority: Hook.Priority(-90)))
    let postrouting = Chain(
      "postrouting", in: table, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))
    let raw = Chain("first", in: table, hook: Hook(.filter, at: .prerouting, priority: .raw))
    let subnet = try Subnet("10.0.0.0/8")
    let subnet6 = try Subnet("fd00::/8")
    let link = try InterfaceName("eth0")

    var all = Transaction()
    all.add(table)
    for map in [any4, own6] { all.add(map) }
    for set in [near, guarded] { all.add(set) }
    for chain in [ports, prerouting, postrouting, raw] { all.add(chain) }
    all.append(
      Rule(
        [.family(.v4)], destinationOf: .transportProtocol, .destinationPort, in: any4, .v4,
        marking: 0), to: ports)
    all.append(
      Rule(
        [.family(.v6)], destinationOf: .destination(.v6), .transportProtocol, .destinationPort,
        in: own6, .v6, marking: 0), to: ports)
    all.append(Rule([.destinationIsLocal], .verdict(.jump(to: "ports"))), to: prerouting)
    all.append(
      Rule(
        [
          .mark(has: 0x2000), .connection(.destinationTranslated), .family(.v4),
          .fields(
            .sourceNetwork(try Prefix(length: 22, family: .v4)), .destination(.v4), areIn: near),
        ], .masquerade), to: postrouting)
    for matches: [Match] in [
      [.fields(.inputName, areIn: guarded), .family(.v4), .destination(isIn: subnet)],
      [.fields(.inputName, areIn: guarded), .family(.v6), .source(isIn: subnet6)],
    ] { all.append(Rule(matches, .verdict(.drop)), to: raw) }
    for matches: [Match] in [
      [.connection([.established, .related])], [.connection(.invalid)], [.connection(.new)],
      [.connection([.sourceTranslated, .destinationTranslated])],
      [
        .family(.v4), .source(isNotIn: subnet), .inputName(is: link), .mark(is: 1),
      ],
      [
        .family(.v6), .destination(isNotIn: subnet6), .inputName(isNot: link), .mark(isNot: 1),
      ],
    ] { all.append(Rule(matches, .verdict(.accept)), to: raw) }

    let changes = try difference(listing(of: all, table), "ports")
    #expect(changes == [])
  }

  @Test("for a new destination that comes with a mark")
  func markedPorts() throws {
    let table = Table(family: .inet, name: "golden")
    let own6 = NamedMap(
      "own6", in: table, key: [.ipv6Address, .transportProtocol, .port],
      value: [.ipv6Address, .port])
    let ports = Chain("ports", in: table)
    var all = Transaction()
    all.add(table)
    all.add(own6)
    all.add(ports)
    all.append(
      Rule(
        [.family(.v6)], destinationOf: .destination(.v6), .transportProtocol, .destinationPort,
        in: own6, .v6, marking: 0x2000), to: ports)
    // nft would put the mark before the question to the map; ours marks only what the map knows.
    // What it lists is what it can load.
    let text = try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().commit(all)
      let text = try nft(["list", "table", "inet", "golden"])
      _ = try nft(["-f", "-"], input: "flush ruleset\n" + text)
      #expect(try nft(["list", "table", "inet", "golden"]).lines.count == text.lines.count)
      return text
    }
    #expect(
      text.contains(
        "meta mark set meta mark | 0x00002000 "
          + "dnat ip6 to ip6 daddr . meta l4proto . th dport map @own6"), "\(text)")
  }

  /// Carries a transaction out in a fresh namespace, and lets nft list the table.
  func listing(
    of transaction: Transaction, _ table: Table, _ options: [String] = ["--debug=netlink"]
  ) throws -> [String] {
    try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().commit(transaction)
      let text = try nft(options + ["list", "table"] + table.description.words)
      return text.lines.map(withoutHandles)
    }
  }

  /// What is there and not in the golden (+), and the other way round (-).
  func difference(_ lines: [String], _ name: String) throws -> [String] {
    // In sets of ranges nft also says that none begins at zero; that means nothing to the kernel.
    let golden = try golden(name).filter { $0 != "\telement 00000000  : 1 [end]" }
    return lines.difference(from: golden).map { change in
      switch change {
      case .insert(let offset, let line, _): "+ \(offset) \(line)"
      case .remove(let offset, let line, _): "- \(offset) \(line)"
      }
    }
  }

  private func golden(_ name: String) throws -> [String] {
    let directory = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    let bytes = try File.read("/\(directory)/Goldens/\(name).golden", limit: 1 << 20)
    return String(decoding: bytes, as: UTF8.self).lines
  }

  /// Drops the numbers that the kernel gives to rules: `inet golden c 4 3`.
  private func withoutHandles(_ line: String) -> String {
    let words = line.words
    guard words.count > 3, words[1] == "golden", words[3...].allSatisfy({ Int($0) != nil }) else {
      return line
    }
    return words[0..<3].joined(separator: " ")
  }
}

/// Runs nft where the thread stands.
func nft(_ arguments: [String], input: String = "") throws -> String {
  let ran = try ChildProcess.run(
    "/usr/sbin/nft", arguments: arguments, environment: Environment(), input: Array(input.utf8))
  let output = String(decoding: ran.output, as: UTF8.self)
  try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  return output
}

extension String {
  var lines: [String] { split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
  var words: [String] { split(separator: " ").map(String.init) }
}
