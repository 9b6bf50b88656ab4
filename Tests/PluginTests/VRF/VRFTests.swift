import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("vrf", .needsRoot, .needsLinks(of: "vrf"))
struct VRFTests {
  @Test("moves the interface with its addresses and routes, and DEL removes the empty VRF")
  func moves() throws {
    let fixture = try VRFFixture()
    try fixture.configure("eth0")
    let links = try fixture.pod.run { try Witness.links().map(\.name) }
    let addresses = try fixture.pod.addresses()
    #expect(try fixture.routes(254) == VRFFixture.allRoutes)
    let network = fixture.network()
    let added = try fixture.ask("ADD", network)
    let previous = try #require(network.document["prevResult"]?.objectValue)
    #expect(try added.result() == PluginResult(printed: previous, orElse: .v1_1_0))
    let device = try #require(try fixture.vrf())
    #expect(device.name == "blue")
    #expect(device.isUp)
    #expect(device.vrfTable == 1)
    #expect(try fixture.pod.addresses().sorted() == addresses.sorted())
    #expect(try fixture.routes(1) == VRFFixture.allRoutes)
    #expect(try fixture.routes(254) == [])
    try fixture.ask("CHECK", network).succeed()
    for _ in 1...3 { try fixture.ask("DEL", network).succeed() }
    #expect(try fixture.pod.run { try Witness.links().map(\.name) } == links)
    #expect(try fixture.pod.link()?.master == nil)
    #expect(try fixture.routes(1) == [])
  }

  @Test("lets interfaces of the same addresses reach each its own network")
  func packets() throws {
    let fixture = try VRFFixture()
    for (link, name) in [("eth0", "blue"), ("net1", "red")] {
      try fixture.configure(link)
      try fixture.ask("ADD", fixture.network(name), link).succeed()
    }
    #expect(try fixture.tables() == ["blue": 1, "red": 2])
    for name in ["blue", "red"] {
      #expect(try fixture.reaches("10.1.0.1", by: name))
      #expect(try fixture.reaches("fd00:1::1", by: name))
    }
    // What only one of the networks has is found there and not in the other.
    try fixture.second.ip("addr add 192.0.2.1/32 dev lo")
    #expect(try fixture.reaches("192.0.2.1", by: "red"))
    #expect(try !fixture.reaches("192.0.2.1", by: "blue", patience: "1"))
    for (link, name) in [("eth0", "blue"), ("net1", "red")] {
      try fixture.ask("CHECK", fixture.network(name), link).succeed()
      try fixture.ask("DEL", fixture.network(name), link).succeed()
    }
    #expect(try fixture.tables() == [:])
  }

  @Test("shares a VRF among interfaces, and removes it with the last of them")
  func sharing() throws {
    let fixture = try VRFFixture()
    let network = fixture.network("blue", ["table": 1001])
    for link in ["eth0", "net1"] { try fixture.ask("ADD", network, link).succeed() }
    #expect(try fixture.tables() == ["blue": 1001])
    try fixture.ask("DEL", network, "eth0").succeed()
    #expect(try fixture.vrf(of: "eth0") == nil)
    #expect(try fixture.vrf(of: "net1")?.name == "blue")
    try fixture.ask("DEL", network, "net1").succeed()
    #expect(try fixture.tables() == [:])
  }

  @Test("chooses the lowest table that nothing uses, and takes the one it is told")
  func tables() throws {
    let fixture = try VRFFixture()
    try fixture.pod.ip("link add used type vrf table 1")
    try fixture.pod.ip("rule add from 10.77.0.1 lookup 2")
    try fixture.pod.ip("link set net1 up")
    try fixture.pod.ip("route add 10.77.0.0/16 dev net1 table 3")
    try fixture.ask("ADD", fixture.network(), "eth0").succeed()
    #expect(try fixture.tables() == ["used": 1, "blue": 4])
    try fixture.ask("ADD", fixture.network("blue", ["table": 4]), "net1").succeed()
    let other = fixture.network("blue", ["table": 5])
    #expect(
      try fixture.ask("CHECK", other).error?.message
        == "VRF blue already exist with different routing table 4")
    for link in ["eth0", "net1"] { try fixture.ask("DEL", other, link).succeed() }
    #expect(try fixture.tables() == ["used": 1])
  }

  /// What is in the way, and what ADD says of it.
  struct Obstacle: Sendable, CustomTestStringConvertible {
    let command: String
    var keys: JSONObject = [:]
    let says: String
    var testDescription: String { command }
  }

  static let obstacles = [
    Obstacle(
      command: "link add blue type vrf table 7", keys: ["table": 8],
      says: "VRF blue already exist with different routing table 7"),
    Obstacle(command: "link add blue type dummy", says: "Netlink blue is not a VRF"),
    Obstacle(
      command: "link set eth0 master br0", says: "interface eth0 has already a master set: br0"),
    Obstacle(command: "link del eth0", says: "could not get link by name eth0"),
  ]

  @Test(
    "refuses, and leaves everything as it was, where something is in the way", arguments: obstacles)
  func refuses(_ obstacle: Obstacle) throws {
    let fixture = try VRFFixture()
    try fixture.configure("eth0")
    try fixture.pod.ip("link add br0 type bridge")
    try fixture.pod.ip(obstacle.command)
    let before = try fixture.pod.picture()
    let error = try fixture.ask("ADD", fixture.network("blue", obstacle.keys)).error
    #expect(
      error?.message.contains(obstacle.says) == true, "it said: \(error?.message ?? "nothing")")
    try fixture.pod.expectUnchanged(since: before)
  }

  @Test("gives everything back when a route cannot follow")
  func undo() throws {
    let fixture = try VRFFixture()
    try fixture.configure("eth0")
    // The way to its gateway says that the kernel made it, which then does not make it again.
    try fixture.pod.ip("route add 10.2.0.1/32 dev eth0 scope link proto kernel")
    try fixture.pod.ip("route add 10.8.0.0/16 via 10.2.0.1 dev eth0")
    let before = try fixture.pod.picture()
    let outcome = try fixture.ask("ADD", fixture.network())
    #expect(
      outcome.error?.message.hasPrefix("could not add route to 10.8.0.0/16 in table 1: ") == true,
      "it said: \(outcome.error?.message ?? "nothing")")
    let left = Witness.difference(from: before, to: try fixture.pod.picture())
    // The kernel keeps a rule of its own once it has made a VRF.
    #expect(left.filter { $0.hasPrefix("+ ") && !$0.contains("rule ip") } == [])
    let lost = left.filter { $0.hasPrefix("- ") }
    #expect(lost.count == 2)
    #expect(lost.allSatisfy { $0.contains(" 10.2.0.1") })
  }

  @Test("refuses a second ADD, and takes nothing from the first")
  func twice() throws {
    let fixture = try VRFFixture()
    try fixture.configure("eth0")
    try fixture.ask("ADD", fixture.network()).succeed()
    let before = try fixture.pod.picture()
    #expect(
      try fixture.ask("ADD", fixture.network()).error?.message
        == "interface eth0 has already a master set: blue")
    try fixture.pod.expectUnchanged(since: before)
    try fixture.ask("CHECK", fixture.network()).succeed()
  }

  @Test("DEL removes a VRF whose interface has gone, and leaves what others have in it")
  func withoutLink() throws {
    let fixture = try VRFFixture()
    for link in ["eth0", "net1"] { try fixture.ask("ADD", fixture.network(), link).succeed() }
    try fixture.pod.ip("link del eth0")
    try fixture.ask("DEL", fixture.network(), "eth0").succeed()
    #expect(try fixture.vrf(of: "net1")?.name == "blue")
    try fixture.pod.ip("link del net1")
    let bare = fixture.network().with(["prevResult": "damaged"])
    try fixture.ask("DEL", bare, "net1").succeed()
    #expect(try fixture.tables() == [:])
  }

  @Test("CHECK tells that the interface has left the VRF, or the VRF is down or gone")
  func damage() throws {
    let fixture = try VRFFixture()
    let commands = [
      ("link set blue down", "vrf: blue is down"),
      ("link set eth0 nomaster", "failed to find eth0 associated to vrf blue"),
      ("link del blue", "failed to find eth0 associated to vrf blue"),
      ("link del eth0", "failed to find eth0 associated to vrf blue"),
    ]
    try fixture.ask("ADD", fixture.network()).succeed()
    try fixture.ask("CHECK", fixture.network()).succeed()
    for (command, says) in commands {
      try fixture.pod.ip(command)
      #expect(try fixture.ask("CHECK", fixture.network()).error?.message == says)
    }
  }

  @Test(
    "answers in the version of the configuration",
    arguments: ["0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let fixture = try VRFFixture()
    let network = fixture.network(
      "blue",
      [
        "cniVersion": .string(version),
        "prevResult": [
          "cniVersion": .string(version), "ips": [["version": "4", "address": "10.1.0.2/24"]],
        ],
      ])
    let document = try fixture.ask("ADD", network).document()
    #expect(document["cniVersion"] == .string(version))
    try fixture.ask("DEL", network).succeed()
  }
}
