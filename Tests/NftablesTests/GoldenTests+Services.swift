import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing

/// What leads packets to the endpoints of services.
extension GoldenTests {
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
}
