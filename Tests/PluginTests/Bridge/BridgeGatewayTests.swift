import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The bridge as a gateway", .needsRoot)
struct BridgeGatewayTests {
  @Test("takes the first address of each subnet where the IPAM plugin names no gateway")
  func firstAddress() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["isGateway": true],
      ipam: [
        "type": "static",
        "addresses": [["address": "10.1.2.77/22"], ["address": "fd00:1::77/112"]],
      ])
    let result = try lab.add(network, pod).result()
    #expect(result.addresses.map { $0.gateway?.description } == ["10.1.0.1", "fd00:1::1"])
    #expect(try lab.addresses(on: "cni0").sorted() == ["10.1.0.1/22", "fd00:1::1/112"])
    #expect(result.routes == [])
    #expect(try pod.routes() == ["10.1.0.0/22 from 10.1.2.77", "fd00:1::/112"])
    #expect(try lab.setting("ipv4", "ip_forward") == "1")
    #expect(try lab.setting("ipv6", "conf", "all", "forwarding") == "1")
  }

  @Test("takes the address that the IPAM plugin names")
  func namedAddress() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "bridge", ["isGateway": true],
      ipam: [
        "type": "static", "addresses": [["address": "10.1.2.77/24", "gateway": "10.1.2.254"]],
      ])
    let result = try lab.add(network, try Pod("one")).result()
    #expect(result.addresses.map { $0.gateway?.description } == ["10.1.2.254"])
    #expect(try lab.addresses(on: "cni0") == ["10.1.2.254/24"])
    #expect(try lab.setting("ipv6", "conf", "all", "forwarding") == "0", "nobody asked for IPv6")
  }

  @Test("has no address and does not forward unless isGateway is set")
  func notAsked() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network("bridge", ipam: lab.hostLocal("10.1.2.0/24"))
    try lab.add(network, pod).succeed()
    #expect(try lab.addresses(on: "cni0") == [])
    #expect(try lab.setting("ipv4", "ip_forward") == "0")
    #expect(try pod.addresses() == ["10.1.2.2/24"])
  }

  @Test("gives each family a default route when isDefaultGateway is set, and says so")
  func defaultRoutes() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["isDefaultGateway": true],
      ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64"))
    let result = try lab.add(network, pod).result()
    #expect(
      result.routes.map { "\($0.destination) \($0.gateway?.description ?? "-")" }
        == ["0.0.0.0/0 10.1.2.1", "::/0 fd00:1::1"])
    #expect(
      try pod.routes() == [
        "0.0.0.0/0 via 10.1.2.1", "10.1.2.0/24 from 10.1.2.2", "::/0 via fd00:1::1", "fd00:1::/64",
      ])
    #expect(try lab.addresses(on: "cni0").sorted() == ["10.1.2.1/24", "fd00:1::1/64"])
  }

  @Test("adds no default route where the IPAM plugin has given one with a gateway")
  func givenDefaultRoute() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["isDefaultGateway": true],
      ipam: lab.hostLocal(
        "10.1.2.0/24", keys: ["routes": [["dst": "0.0.0.0/0", "gw": "10.1.2.9"]]]))
    let result = try lab.add(network, pod).result()
    #expect(result.routes.map { $0.gateway?.description } == ["10.1.2.9"])
    #expect(try pod.routes() == ["0.0.0.0/0 via 10.1.2.9", "10.1.2.0/24 from 10.1.2.2"])
  }

  @Test("gives routes every property that the IPAM plugin asks for")
  func routeProperties() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["isGateway": true],
      ipam: lab.hostLocal(
        "10.1.2.0/24", "fd00:1::/64",
        keys: [
          "routes": [
            [
              "dst": "192.0.2.0/24", "gw": "10.1.2.9", "mtu": 1400, "advmss": 1300,
              "priority": 77,
            ],
            ["dst": "198.51.100.0/24", "table": 1000],
            ["dst": "203.0.113.0/24", "scope": 0],
            ["dst": "2001:db8::/32", "mtu": 1380, "priority": 99],
          ]
        ]))
    let added = try lab.add(network, pod)
    try added.succeed()
    let routes = try pod.run { try Witness.routes() }
    func route(_ destination: String) throws -> SeenRoute {
      try #require(routes.first { $0.destination == destination })
    }
    let full = try route("192.0.2.0/24")
    #expect([full.mtu, full.advertisedMSS, full.priority, full.table] == [1400, 1300, 77, 254])
    #expect(full.gateway == "10.1.2.9")
    #expect(try route("198.51.100.0/24").table == 1000)
    #expect(try route("198.51.100.0/24").gateway == "10.1.2.1")
    #expect(try route("203.0.113.0/24").scope == 0)
    let v6 = try route("2001:db8::/32")
    #expect([v6.mtu, v6.priority] == [1380, 99])
    #expect(v6.gateway == "fd00:1::1")
    try lab.check(network.after(added), pod).succeed()
  }

  /// What the bridge has, what comes, and what it has then; nil for a refusal.
  struct Meeting: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let present: [String]
    let addresses: [String]
    let forced: Bool
    let after: [String]?
    var inTheWay = ""
  }

  static let meetings = [
    Meeting(
      testDescription: "the same address stays", present: ["10.1.2.1/24", "fd00:1::1/64"],
      addresses: ["10.1.2.7/24", "fd00:1::7/64"], forced: false,
      after: ["10.1.2.1/24", "fd00:1::1/64"]),
    Meeting(
      testDescription: "another IPv4 network is in the way", present: ["10.9.0.1/16"],
      addresses: ["10.1.2.7/24"], forced: false, after: nil, inTheWay: "10.1.2.1/24"),
    Meeting(
      testDescription: "another IPv4 network is replaced by force",
      present: ["10.9.0.1/16", "10.8.0.1/16"], addresses: ["10.1.2.7/24"], forced: true,
      after: ["10.1.2.1/24"]),
    Meeting(
      testDescription: "another length of the same IPv4 address is in the way",
      present: ["10.1.2.1/16"], addresses: ["10.1.2.7/24"], forced: false, after: nil,
      inTheWay: "10.1.2.1/24"),
    Meeting(
      testDescription: "another length of the same IPv4 address is replaced by force",
      present: ["10.1.2.1/16"], addresses: ["10.1.2.7/24"], forced: true, after: ["10.1.2.1/24"]),
    Meeting(
      testDescription: "an IPv6 network elsewhere is welcome", present: ["fd00:9::1/64"],
      addresses: ["fd00:1::7/64"], forced: false, after: ["fd00:1::1/64", "fd00:9::1/64"]),
    Meeting(
      testDescription: "an IPv6 network elsewhere stays by force as well",
      present: ["fd00:9::1/64"], addresses: ["fd00:1::7/64"], forced: true,
      after: ["fd00:1::1/64", "fd00:9::1/64"]),
    Meeting(
      testDescription: "an IPv6 network that overlaps is in the way", present: ["fd00:1::9/48"],
      addresses: ["fd00:1::7/64"], forced: false, after: nil, inTheWay: "fd00:1::1/64"),
    Meeting(
      testDescription: "an IPv6 network that overlaps is replaced by force",
      present: ["fd00:1::9/48"], addresses: ["fd00:1::7/64"], forced: true,
      after: ["fd00:1::1/64"]),
    Meeting(
      testDescription: "an IPv4 network is no obstacle to IPv6", present: ["10.9.0.1/16"],
      addresses: ["fd00:1::7/64"], forced: false, after: ["10.9.0.1/16", "fd00:1::1/64"]),
    Meeting(
      testDescription: "one family in the way keeps the other one out too",
      present: ["fd00:1::9/48"], addresses: ["10.1.2.7/24", "fd00:1::7/64"], forced: false,
      after: nil, inTheWay: "fd00:1::1/64"),
  ]

  @Test("meets the addresses that the bridge has", arguments: meetings)
  func meets(_ meeting: Meeting) throws {
    let lab = try PluginLab()
    try lab.ip("link add cni0 address 02:00:5e:00:00:07 type bridge")
    try lab.ip("link set cni0 up")
    for address in meeting.present {
      try lab.ip("addr add \(address) dev cni0\(address.contains(":") ? " nodad" : "")")
    }
    let before = try lab.picture()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["isGateway": true, "forceAddress": .bool(meeting.forced)],
      ipam: [
        "type": "static",
        "addresses": .array(meeting.addresses.map { ["address": .string($0)] }),
      ])
    let outcome = try lab.add(network, pod)
    if let after = meeting.after {
      try outcome.succeed()
      #expect(try lab.addresses(on: "cni0").sorted() == after)
    } else {
      #expect(
        outcome.error?.message
          == "failed to set bridge addr: \"cni0\" already has an IP address different from "
          + meeting.inTheWay)
      try lab.expectUnchanged(since: before)
      #expect(try pod.link() == nil)
    }
  }
}
