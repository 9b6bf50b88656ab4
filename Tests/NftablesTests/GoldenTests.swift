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

  @Test("for a check of senders on bridges")
  func spoofCheck() throws {
    let table = Table(family: .bridge, name: "golden")
    let checked = NamedSet("checked", in: table, key: [.interfaceName])
    let allowed = NamedSet("allowed", in: table, key: [.interfaceName, .hardwareAddress])
    let chain = Chain(
      "prerouting", in: table, hook: Hook(.filter, at: .prerouting, priority: .bridgeDestinationNAT)
    )
    let port = try InterfaceName("veth6fd94d50")

    var all = Transaction()
    all.add(table)
    all.add(checked)
    all.add(allowed)
    all.add(chain)
    all.append(
      Rule(
        [
          .fields(.inputName, areIn: checked),
          .fields(.inputName, .hardwareSource, areNotIn: allowed),
        ],
        .verdict(.drop)), to: chain)
    all.add(Element(ElementKey(.interface(port))), to: checked, ifThere: .refused)
    let address = try HardwareAddress("0a:58:0a:01:02:03")
    all.add(
      Element(ElementKey(.interface(port), .hardwareAddress(address))), to: allowed,
      ifThere: .refused)

    let changes = try difference(listing(of: all, table), "spoof-check")
    #expect(changes == [])
  }

  @Test("for a check of what senders say about themselves")
  func sourceCheck() throws {
    let table = Table(family: .bridge, name: "golden")
    let checked = NamedSet("checked", in: table, key: [.interfaceName])
    let macs = NamedSet("macs", in: table, key: [.interfaceName, .hardwareAddress])
    let v4 = NamedSet("allowed_v4", in: table, key: [.interfaceName, .ipv4Address])
    let v6 = NamedSet("allowed_v6", in: table, key: [.interfaceName, .ipv6Address])
    let sources = Chain("sources", in: table)
    let entry = Chain(
      "entry", in: table, hook: Hook(.filter, at: .prerouting, priority: .bridgeDestinationNAT))

    var all = Transaction()
    all.add(table)
    for set in [checked, macs, v4, v6] { all.add(set) }
    for chain in [sources, entry] { all.add(chain) }
    let rules: [([Match], Verdict)] = [
      (
        [.frame(carries: .arp), .fields(.inputName, .arpHardwareSource, areNotIn: macs)], .drop
      ),
      ([.frame(carries: .arp), .fields(.inputName, .arpSource, areIn: v4)], .return),
      ([.frame(carries: .arp), .arpSourceIsNone], .return),
      ([.frame(carries: .ipv4), .destinationPort(68, of: .udp)], .drop),
      ([.frame(carries: .ipv4), .fields(.inputName, .source(.v4), areIn: v4)], .return),
      (
        [
          .frame(carries: .ipv4), .source(isIn: try Subnet("0.0.0.0/32")),
          .destinationPort(67, of: .udp),
        ], .return
      ),
      ([.frame(carries: .ipv6), .neighbour(.routerAdvertisement)], .drop),
      ([.frame(carries: .ipv6), .fields(.inputName, .source(.v6), areIn: v6)], .return),
      ([], .drop),
    ]
    for (matches, verdict) in rules { all.append(Rule(matches, .verdict(verdict)), to: sources) }
    all.append(
      Rule([.fields(.inputName, areIn: checked)], .verdict(.jump(to: "sources"))), to: entry)
    let port = ElementKey.Part.interface(try InterfaceName("veth6fd94d50"))
    let address = ElementKey.Part.hardwareAddress(try HardwareAddress("0a:58:0a:01:02:03"))
    for (key, set) in [
      (ElementKey(port), checked), (ElementKey(port, address), macs),
      (ElementKey(port, .address(try IPAddress("10.1.2.3"))), v4),
      (ElementKey(port, .address(try IPAddress("fd00:1::3"))), v6),
    ] {
      all.add(Element(key), to: set, ifThere: .refused)
    }

    let changes = try difference(listing(of: all, table), "source-check")
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

  @Test("for tunnels, sources that lie elsewhere, and new sources")
  func tunnels() throws {
    let table = Table(family: .inet, name: "golden")
    let egress = NamedMap("egress", in: table, key: [.ipv4Address], value: [.ipv4Address])
    let egress6 = NamedMap("egress6", in: table, key: [.ipv6Address], value: [.ipv6Address])
    let tunnel = Chain("tunnel", in: table)
    let input = Chain("in", in: table, hook: Hook(.filter, at: .input, priority: .filter))
    let raw = Chain("first", in: table, hook: Hook(.filter, at: .prerouting, priority: .raw))
    let postrouting = Chain(
      "postrouting", in: table, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))

    var all = Transaction()
    all.add(table)
    for map in [egress, egress6] { all.add(map) }
    for chain in [tunnel, input, raw, postrouting] { all.add(chain) }
    all.append(Rule([.tunnelled(.v4)], .verdict(.accept)), to: tunnel)
    all.append(Rule([.tunnelled(.v6)], .verdict(.accept)), to: tunnel)
    all.append(
      Rule([.tunnel(network: 70000, port: 8472)], .verdict(.goto(tunnel.name))), to: input)
    all.append(
      Rule(
        [.family(.v4), .source(isIn: try Subnet("10.5.0.0/16")), .sourceIsElsewhere],
        .verdict(.drop)), to: raw)
    all.append(
      Rule([.outputName(is: try InterfaceName("flannel.1"))], .verdict(.return)), to: postrouting)
    all.append(Rule([.family(.v4)], sourceOf: .source(.v4), in: egress, .v4), to: postrouting)
    all.append(Rule([.family(.v6)], sourceOf: .source(.v6), in: egress6, .v6), to: postrouting)
    let pod = try IPAddress("10.5.1.3")
    all.add(
      Element(
        ElementKey(.address(pod)), value: .data(ElementKey(.address(try IPAddress("192.0.2.7"))))),
      to: egress.set, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "tunnels")
    #expect(changes == [])
  }

  @Test("for what a tunnel holds, which nft lists though it cannot load it")
  func tunnelledSources() throws {
    let table = Table(family: .inet, name: "golden")
    let inside = NamedSet("inside", in: table, key: [.ipv4Address, .ipv4Address])
    let inside6 = NamedSet("inside6", in: table, key: [.ipv6Address, .ipv6Address])
    let tunnel = Chain("tunnel", in: table)
    var all = Transaction()
    all.add(table)
    for set in [inside, inside6] { all.add(set) }
    all.add(tunnel)
    all.append(
      Rule(
        [
          .family(.v4),
          .fields(
            .source(.v4), .tunnelledSourceNetwork(try Prefix(length: 24, family: .v4)),
            areIn: inside),
        ], .verdict(.return)), to: tunnel)
    all.append(
      Rule(
        [
          .family(.v6),
          .fields(
            .source(.v6), .tunnelledSourceNetwork(try Prefix(length: 64, family: .v6)),
            areIn: inside6),
        ], .verdict(.return)), to: tunnel)
    let text = try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().commit(all)
      return try nft(["list", "table", "inet", "golden"])
    }
    #expect(text.contains("ip saddr . @th,336,32 & 0xffffff00"), "\(text)")
    #expect(text.contains("ip6 saddr . @th,304,128"), "\(text)")
  }

  @Test("for packets that go from link to link")
  func forward() throws {
    let table = Table(family: .inet, name: "golden")
    let bridges = NamedSet("bridges", in: table, key: [.interfaceName])
    let within = NamedSet("within", in: table, key: [.interfaceName, .interfaceName])
    let pods = NamedSet("pods", in: table, key: [.ipv4Address])
    let admin = Chain("CNI-ADMIN", in: table)
    let forward = Chain(
      "forward", in: table, hook: Hook(.filter, at: .forward, priority: .filter))
    let bridge = try InterfaceName("cni0")

    var all = Transaction()
    all.add(table)
    for set in [bridges, within, pods] { all.add(set) }
    all.add(admin)
    all.add(forward)
    all.append(
      Rule(
        [
          .fields(.inputName, areIn: bridges), .fields(.outputName, areIn: bridges),
          .fields(.inputName, .outputName, areNotIn: within),
        ], .verdict(.drop), comment: "between bridges"), to: forward)
    all.append(Rule([], .verdict(.jump(to: admin.name))), to: forward)
    all.append(
      Rule(
        [
          .family(.v4), .fields(.destination(.v4), areIn: pods),
          .connection([.established, .related]),
        ], .verdict(.accept)), to: forward)
    all.add(Element(ElementKey(.interface(bridge))), to: bridges, ifThere: .refused)
    all.add(
      Element(ElementKey(.interface(bridge), .interface(bridge))), to: within, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "forward")
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

  @Test("for maps of verdicts and of data")
  func maps() throws {
    let table = Table(family: .ipv4, name: "golden")
    let ports = NamedSet("ports", in: table, key: [.transportProtocol, .port])
    let services = NamedMap(
      "services", in: table, key: [.ipv4Address, .transportProtocol, .port], value: nil)
    let verdicts = NamedMap("verdicts", in: table, key: [.port], value: nil)
    let endpoints = NamedMap(
      "endpoints", in: table, key: [.ipv4Address], value: [.ipv4Address, .port])
    let web = Chain("web", in: table)
    let input = Chain("input", in: table, hook: Hook(.filter, at: .input, priority: .filter))
    let prerouting = Chain(
      "prerouting", in: table, hook: Hook(.nat, at: .prerouting, priority: .destinationNAT))
    let service = try IPAddress("10.96.0.1")

    var all = Transaction()
    all.add(table)
    all.add(ports)
    for map in [services, verdicts, endpoints] { all.add(map) }
    for chain in [web, input, prerouting] { all.add(chain) }
    all.append(Rule([], .verdict(.accept)), to: web)
    all.append(
      Rule(
        [.fields(.transportProtocol, .destinationPort, areIn: ports)], .verdict(.jump(to: "web"))),
      to: input)
    all.append(
      Rule(verdictOf: .destination(.v4), .transportProtocol, .destinationPort, in: services),
      to: input)
    all.add(
      Element(ElementKey(.transportProtocol(6), .port(8080))), to: ports, ifThere: .refused)
    all.add(
      Element(
        ElementKey(.address(service), .transportProtocol(6), .port(80)),
        value: .verdict(.goto("web")), comment: "one"), to: services.set, ifThere: .refused)
    all.add(
      Element(ElementKey(.port(22)), value: .verdict(.drop)), to: verdicts.set, ifThere: .refused)
    all.add(
      Element(
        ElementKey(.address(service)),
        value: .data(ElementKey(.address(try IPAddress("10.1.0.2")), .port(8080)))),
      to: endpoints.set, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "maps")
    #expect(changes == [])
  }

  @Test("for what services need: refusals, timed maps, ranges, numbers drawn")
  func services() throws {
    let table = Table(family: .ipv4, name: "golden")
    let numbers = NamedMap(
      "numbers", in: table, key: [.ipv4Address, .transportProtocol, .port], value: [.mark])
    let affinity = NamedMap(
      "affinity", in: table, key: [.ipv4Address, .port], value: [.mark],
      kind: .timed(limit: 65_535))
    let networks = NamedSet("networks", in: table, key: [.ipv4Address], kind: .ranges)
    let allowed = NamedSet(
      "allowed", in: table, key: [.port, .ipv4Address], kind: .ranges)
    let leaf = Chain("leaf", in: table)
    let refuse = Chain("refuse", in: table)
    let entry = Chain("entry", in: table)
    let postrouting = Chain(
      "postrouting", in: table, hook: Hook(.nat, at: .postrouting, priority: Hook.Priority(99)))

    var all = Transaction()
    all.add(table)
    for map in [numbers, affinity] { all.add(map) }
    for set in [networks, allowed] { all.add(set) }
    for chain in [leaf, refuse, entry, postrouting] { all.add(chain) }
    all.append(
      Rule(
        remembering: 7, of: .source(.v4), .destinationPort, in: affinity, milliseconds: 10_000),
      to: leaf)
    all.append(Rule([.transport(.tcp)], .reject(.tcpReset)), to: refuse)
    all.append(Rule([], .reject(.portUnreachable(.v4))), to: refuse)
    all.append(Rule([.chance(oneIn: 3)], .verdict(.goto("leaf"))), to: entry)
    all.append(Rule([.sourceIsLocal], .verdict(.drop)), to: entry)
    all.append(
      Rule([.fields(.destination(.v4), areIn: networks)], .verdict(.goto("refuse"))), to: entry)
    all.append(
      Rule(
        [.fields(.destinationPort, .source(.v4), areNotIn: allowed)],
        .verdict(.drop)), to: entry)
    all.append(
      Rule(
        [
          .connection(.destinationTranslated),
          .originalDestination(is: try IPAddress("10.0.0.1")),
        ], .masqueradeFullyRandom), to: postrouting)
    all.append(Rule([], .masqueradeFullyRandom), to: postrouting)
    let ranges = try ["10.0.0.0/8", "192.0.2.0/24"].map { text in
      let subnet = try Subnet(text)
      return Element(
        from: ElementKey(.address(subnet.first)), through: ElementKey(.address(subnet.last)))
    }
    all.add(ranges, to: networks, ifThere: .refused)
    let sources = try ["10.0.0.0/8", "192.0.2.0/29"].map { text in
      let subnet = try Subnet(text)
      return Element(
        from: ElementKey(.port(80), .address(subnet.first)),
        through: ElementKey(.port(80), .address(subnet.last)))
    }
    all.add(sources, to: allowed, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "services")
    #expect(changes == [])
  }

  @Test(
    "for what nft can read but not load: numbers drawn and hashed within keys",
    arguments: IPFamily.allCases)
  func drawnKeys(family: IPFamily) throws {
    let (ip, type): (String, DataType) =
      family == .v4 ? ("ip", .ipv4Address) : ("ip6", .ipv6Address)
    let table = Table(family: family == .v4 ? .ipv4 : .ipv6, name: "golden")
    let numbers = NamedMap(
      "numbers", in: table, key: [type, .transportProtocol, .port], value: [.mark])
    let places = NamedMap(
      "places", in: table, key: [type, .transportProtocol, .port, .mark], value: [type, .port])
    let ports = NamedMap(
      "ports", in: table, key: [.transportProtocol, .port, .mark], value: [type, .port])
    let masked = NamedSet("masked", in: table, key: [type, .transportProtocol, .port])
    let leaf = Chain(
      "leaf", in: table, hook: Hook(.nat, at: .prerouting, priority: Hook.Priority(-101)))
    let goal = Chain("goal", in: table)
    let last = Chain(
      "last", in: table, hook: Hook(.nat, at: .postrouting, priority: Hook.Priority(99)))

    var all = Transaction()
    all.add(table)
    for map in [numbers, places, ports] { all.add(map) }
    all.add(masked)
    for chain in [leaf, goal, last] { all.add(chain) }
    let key: [Field] = [.destination(family), .transportProtocol, .destinationPort]
    let drawn = Field.random(Expression.NumberRange(first: 65_536, count: 3))
    let hashed = Field.sourceHash(family, Expression.NumberRange(count: 251))
    all.append(
      Rule([.number(of: key[0], key[1], key[2], in: numbers, is: 7)], .verdict(.goto("goal"))),
      to: leaf)
    for number in [drawn, hashed] {
      all.append(
        Rule(destinationOf: key[0], key[1], key[2], number, in: places, family, marking: 0),
        to: leaf)
      all.append(
        Rule(destinationOf: key[1], key[2], number, in: ports, family, marking: 0), to: leaf)
    }
    let pod = try IPAddress(family == .v4 ? "10.1.2.3" : "fd00::3")
    all.append(Rule(destination: pod, port: 8080), to: leaf)
    all.append(
      Rule(
        [
          .fields(
            .originalDestination(family), .transportProtocol, .originalDestinationPort,
            areIn: masked)
        ], .masqueradeFullyRandom), to: last)

    let text = try listing(of: all, table, [])
    let whole = "\(ip) daddr . meta l4proto . th dport"
    for line in [
      "\(whole) map @numbers 0x7000000 [invalid type] goto goal",
      "dnat \(ip) to \(whole) . numgen random mod 3 offset 65536 map @places",
      "dnat \(ip) to meta l4proto . th dport . numgen random mod 3 offset 65536 map @ports",
      "dnat \(ip) to \(whole) . jhash \(ip) saddr mod 251 seed 0x636e6921 map @places",
      "dnat \(ip) to meta l4proto . th dport . jhash \(ip) saddr mod 251 seed 0x636e6921 map @ports",
      family == .v4 ? "dnat to 10.1.2.3:8080" : "dnat to [fd00::3]:8080",
      "ct original \(ip) daddr . meta l4proto . ct original proto-dst @masked masquerade fully-random",
    ] { #expect(text.contains("\t\t" + line), "\(line) in \(text.joined(separator: "\n"))") }
  }

  /// Carries a transaction out in a fresh namespace, and lets nft list the table.
  private func listing(
    of transaction: Transaction, _ table: Table, _ options: [String] = ["--debug=netlink"]
  ) throws -> [String] {
    try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().commit(transaction)
      let text = try nft(options + ["list", "table"] + table.description.words)
      return text.lines.map(withoutHandles)
    }
  }

  /// What is there and not in the golden (+), and the other way round (-).
  private func difference(_ lines: [String], _ name: String) throws -> [String] {
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
