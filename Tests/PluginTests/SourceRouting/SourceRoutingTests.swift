import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("sbr", .needsRoot)
struct SourceRoutingTests {
  static let moved = [
    "100: 0.0.0.0/0 via 10.2.0.1", "100: 10.2.0.0/24 from 10.2.0.2", "101: ::/0 via fd00:2::1",
    "101: fd00:2::/64",
  ]

  @Test("gives each address a table with the interface's routes, which the main table loses")
  func tables() throws {
    let fixture = try SourceRoutingFixture()
    let before = try fixture.pod.picture()
    let network = fixture.network()
    let others = try fixture.routes(on: "eth0")
    let result = try fixture.lab.add(network, fixture.pod).result()
    #expect(
      try result
        == PluginResult(
          printed: #require(network.document["prevResult"]?.objectValue), orElse: .v1_0_0))
    #expect(try fixture.rules() == ["10.2.0.2/32 → 100", "fd00:2::2/128 → 101"])
    #expect(try fixture.routes() == Self.moved)
    #expect(try fixture.routes(on: "eth0") == others)
    try fixture.lab.check(network, fixture.pod).succeed()

    for _ in 1...3 { try fixture.lab.delete(network, fixture.pod).succeed() }
    #expect(try fixture.rules() == [])
    #expect(try fixture.routes() == [])
    let left = Witness.difference(from: before, to: try fixture.pod.picture())
    // As with upstream, what the main table lost goes with the interface.
    #expect(left.allSatisfy { $0.hasPrefix("- route ") && $0.contains(" on net1 ") })
    try fixture.lab.ip("link del r2")
    let gone = Witness.difference(from: before, to: try fixture.pod.picture())
    #expect(gone.filter { $0.hasPrefix("+ ") } == [])
  }

  @Test("leaves the plugin before it what its CHECK looks for", arguments: PairPlugin.allCases)
  func checkOfTheOther(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let first = plugin.network(in: lab)
    let added = try lab.add(first, pod)
    let second = try lab.network("sbr").after(added)
    try lab.add(second, pod).succeed()
    #expect(try pod.routes() == [])
    for network in [try first.after(added), second] { try lab.check(network, pod).succeed() }
    // A route that is in no table any more is missed.
    try pod.ip("route flush table 100")
    for network in [try first.after(added), second] {
      #expect(try lab.check(network, pod).exitCode != 0)
    }
    for network in [second, first] { try lab.delete(network, pod).succeed() }
  }

  @Test("sends packets out by the interface whose address they carry")
  func packets() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.ip("addr add 192.0.2.1/32 dev lo")
    try fixture.lab.ip("addr add 2001:db8::1/128 dev lo")
    // The router takes a packet only by the link that leads back to its sender.
    for name in ["all", "r1", "r2"] {
      try fixture.lab.host.run {
        try Sysctl.write(["net", "ipv4", "conf", name, "rp_filter"], "1")
      }
    }
    #expect(try fixture.reaches("192.0.2.1", from: "10.1.0.2"))
    #expect(try !fixture.reaches("192.0.2.1", from: "10.2.0.2", patience: "1"))
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    for source in ["10.1.0.2", "10.2.0.2"] {
      #expect(try fixture.reaches("192.0.2.1", from: source))
    }
    // IPv6 has no such filter, so the first way is cut.
    try fixture.lab.ip("link set r1 down")
    #expect(try fixture.reaches("2001:db8::1", from: "fd00:2::2"))
    #expect(try fixture.reaches("192.0.2.1", from: "10.2.0.2"))
    // To a neighbour on the link no router is needed.
    #expect(try fixture.reaches("10.2.0.1", from: "10.2.0.2"))
  }

  @Test("copies what an address's packets may need, and leaves nothing of it in the main table")
  func copies() throws {
    let fixture = try SourceRoutingFixture()
    for route in [
      "10.8.0.0/16 via 10.2.0.9", "10.9.0.0/16 dev net1",
      "10.7.0.0/16 via 169.254.1.1 dev net1 onlink",
      "10.6.0.0/16 via 10.2.0.9 mtu 1400 advmss 1300 metric 77",
    ] { try fixture.pod.ip("route add \(route)") }
    try fixture.pod.ip("-6 route add fd08::/16 via fd00:2::9")
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    #expect(
      try fixture.routes()
        == (Self.moved + [
          "100: 10.6.0.0/16 via 10.2.0.9", "100: 10.7.0.0/16 via 169.254.1.1",
          "100: 10.8.0.0/16 via 10.2.0.9", "100: 10.9.0.0/16", "101: fd08::/16 via fd00:2::9",
        ]).sorted())
    let special = try fixture.pod.run { try Witness.routes() }
      .first { $0.destination == "10.6.0.0/16" }
    #expect([special?.mtu, special?.advertisedMSS, special?.priority] == [1400, 1300, 77])
  }

  @Test("gives two addresses of one subnet a table each with the subnet's routes")
  func sameSubnet() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.pod.ip("addr add 10.2.0.3/24 dev net1")
    let network = fixture.network([
      "prevResult": [
        "cniVersion": "1.0.0",
        "interfaces": [["name": "net1", "sandbox": .string(fixture.pod.path)]],
        "ips": [
          ["address": "10.2.0.2/24", "gateway": "10.2.0.1", "interface": 0],
          ["address": "10.2.0.3/24", "gateway": "10.2.0.1", "interface": 0],
        ],
      ]
    ])
    try fixture.lab.add(network, fixture.pod).succeed()
    #expect(try fixture.rules() == ["10.2.0.3/32 → 101", "10.2.0.2/32 → 100"])
    #expect(
      try fixture.routes().filter { !$0.contains(":2:") && !$0.contains("fd00") } == [
        "100: 0.0.0.0/0 via 10.2.0.1", "100: 10.2.0.0/24 from 10.2.0.2",
        "101: 0.0.0.0/0 via 10.2.0.1", "101: 10.2.0.0/24 from 10.2.0.2",
      ])
    try fixture.lab.check(network, fixture.pod).succeed()
  }

  @Test("takes the next tables that nothing leads to and nothing is in, and never the kernel's")
  func freeTables() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.pod.ip("rule add from 10.77.0.1 lookup 100")
    try fixture.pod.ip("-6 rule add from fd77::1 lookup 101")
    try fixture.pod.ip("route add 10.77.0.0/16 dev eth0 table 102")
    try fixture.pod.ip("-6 route add fd77::/16 dev eth0 table 103")
    let taken = (104...252).map { "route add 10.77.0.0/16 dev eth0 table \($0)\n" }.joined()
    let file = try fixture.lab.state.write("routes", taken)
    try fixture.pod.ip("-batch \(file)")
    let before = try fixture.pod.picture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    #expect(
      try fixture.rules().filter { !$0.contains("77") }
        == ["10.2.0.2/32 → 256", "fd00:2::2/128 → 257"])
    try fixture.lab.delete(fixture.network(), fixture.pod).succeed()
    let left = Witness.difference(from: before, to: try fixture.pod.picture())
    #expect(left.allSatisfy { $0.hasPrefix("- route ") && $0.contains(" on net1 ") })
  }

  @Test("leads to the table that the configuration names, and leaves routes alone")
  func namedTable() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.pod.ip("route add default via 10.2.0.1 table 4711")
    try fixture.pod.ip("rule add from 10.2.0.2 lookup 4712")
    let before = try fixture.pod.picture()
    let network = fixture.network(["table": 4711])
    try fixture.lab.add(network, fixture.pod).succeed()
    let come = Witness.difference(from: before, to: try fixture.pod.picture())
    #expect(come.count == 2)
    #expect(come.allSatisfy { $0.hasPrefix("+ rule ") && $0.contains(" table 4711 ") })
    try fixture.lab.check(network, fixture.pod).succeed()
    try fixture.expectRefusal(network, saying: "is routed by source already, by table 4711")
    try fixture.lab.delete(network, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: before)
  }

  @Test("lets those in who come to one namespace at the same time, and gives no table twice")
  func together() async throws {
    let fixture = try SourceRoutingFixture()
    try fixture.pod.ip("route del default")
    try fixture.pod.ip("-6 route del default")
    try await withThrowingTaskGroup { group in
      for link in ["eth0", "net1"] {
        group.addTask {
          try await OwnThread.run {
            var call = fixture.lab.call(fixture.network(interface: link), fixture.pod)
            call.interface = link
            try fixture.lab.ask("ADD", call).succeed()
          }
        }
      }
      try await group.waitForAll()
    }
    let tables = try fixture.rules().compactMap { $0.split(separator: " ").last }
    #expect(Set(tables) == ["100", "101", "102", "103"])
    #expect(tables.count == 4)
  }

  @Test(
    "answers in the version of the configuration",
    arguments: ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let fixture = try SourceRoutingFixture()
    var previous: JSONObject = ["cniVersion": .string(version)]
    if version < "0.3" {
      previous["ip4"] = ["ip": "10.2.0.2/24", "gateway": "10.2.0.1"]
    } else {
      previous["ips"] = [["version": "4", "address": "10.2.0.2/24", "gateway": "10.2.0.1"]]
    }
    let network = fixture.network([
      "cniVersion": .string(version), "prevResult": .object(previous),
    ])
    let document = try fixture.lab.add(network, fixture.pod).document()
    #expect(document["cniVersion"] == .string(version))
    #expect(try fixture.rules() == ["10.2.0.2/32 → 100"])
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.rules() == [])
  }
}
