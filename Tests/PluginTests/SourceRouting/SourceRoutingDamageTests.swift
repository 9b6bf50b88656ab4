import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("sbr in trouble", .needsRoot)
struct SourceRoutingDamageTests {
  static let cases = [
    Refusal("no previous result", ["prevResult": nil], says: "must be called as chained plugin"),
    Refusal("a damaged previous result", ["prevResult": "x"], says: "prevResult"),
    Refusal(
      "no addresses", ["prevResult": ["cniVersion": "1.0.0"]],
      says: "No IP addresses supplied on interface: net1"),
    Refusal(
      "addresses of another interface alone",
      [
        "prevResult": [
          "cniVersion": "1.0.0", "interfaces": [["name": "eth0", "sandbox": "/x"]],
          "ips": [["address": "10.1.0.2/24", "interface": 0]],
        ]
      ], says: "No IP addresses supplied on interface: net1"),
    Refusal("table 0", ["table": 0], says: "table: 0 is no routing table"),
    Refusal("a negative table", ["table": -1], says: "table"),
    Refusal("a table beyond what there is", ["table": 4_294_967_296], says: "table"),
    Refusal("a text for the table", ["table": "100"], says: "table"),
    Refusal(address: "10.2.0.2/24", gateway: "172.31.0.1", says: "Failed to add default route"),
    Refusal(address: "10.2.0.2/24", gateway: "224.0.0.1", says: "Failed to add default route"),
  ]

  @Test("refuses and changes nothing when it is given", arguments: cases)
  func refuses(_ example: Refusal) throws {
    let fixture = try SourceRoutingFixture()
    // Without another way out there is none to the gateways that are refused.
    try fixture.pod.ip("route del default")
    try fixture.expectRefusal(fixture.network(example.keys), saying: example.says)
  }

  @Test("refuses a second ADD, and takes nothing from the first")
  func twice() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    try fixture.expectRefusal(
      fixture.network(), saying: "is routed by source already, by table 100")
    try fixture.lab.check(fixture.network(), fixture.pod).succeed()
  }

  @Test("refuses when interface or namespace is not there")
  func missing() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.ip("link del r2")
    try fixture.expectRefusal(fixture.network(), saying: "Cannot find network interface net1")
    var call = fixture.lab.call(fixture.network(), fixture.pod)
    call.namespace = "/nowhere"
    #expect(try fixture.lab.ask("ADD", call).error?.code == .unknownContainer)
  }

  @Test("DEL succeeds without a namespace", arguments: [nil, "", "/nowhere", "/etc/hostname"])
  func withoutNamespace(_ path: String?) throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    var call = fixture.lab.call(fixture.network(), fixture.pod)
    call.namespace = path
    for _ in 1...2 { try fixture.lab.ask("DEL", call).succeed() }
    #expect(try fixture.rules().count == 2)
  }

  @Test(
    "DEL removes the rules of an interface that has gone, as far as it is told",
    arguments: [true, false])
  func withoutLink(_ withResult: Bool) throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    try fixture.lab.ip("link del r2")
    let network = withResult ? fixture.network() : fixture.network(["prevResult": "damaged"])
    for _ in 1...2 { try fixture.lab.delete(network, fixture.pod).succeed() }
    #expect(try fixture.rules().count == (withResult ? 0 : 2))
  }

  @Test("DEL needs no previous result, and leaves rules and tables of others alone")
  func others() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.pod.ip("rule add from 10.1.0.2 lookup 300")
    try fixture.pod.ip("route add default via 10.2.0.1 table 300")
    let before = try fixture.pod.picture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    try fixture.pod.ip("rule add from 10.1.0.77 lookup 100")
    try fixture.lab.delete(fixture.network(["prevResult": nil]), fixture.pod).succeed()
    #expect(try fixture.rules() == ["10.1.0.77/32 → 100", "10.1.0.2/32 → 300"])
    // A table that another rule leads to stays as well.
    #expect(try fixture.routes().contains("100: 0.0.0.0/0 via 10.2.0.1"))
    #expect(try !fixture.routes().contains { $0.hasPrefix("101: ") })
    try fixture.pod.ip("rule del from 10.1.0.77 lookup 100")
    try fixture.pod.ip("route flush table 100")
    let left = Witness.difference(from: before, to: try fixture.pod.picture())
    #expect(left.allSatisfy { $0.hasPrefix("- route ") && $0.contains(" on net1 ") })
  }

  static let damages = [
    DamagingLine(command: "rule del from 10.2.0.2", says: "no rule leads what comes from 10.2.0.2"),
    DamagingLine(
      command: "-6 rule del from fd00:2::2", says: "no rule leads what comes from fd00:2::2"),
    DamagingLine(
      command: "route del default table 100", says: "no default route for what comes from 10.2.0.2"),
    DamagingLine(
      command: "-6 route flush table 101", says: "no default route for what comes from fd00:2::2"),
    DamagingLine(command: "link del net1", says: "Cannot find network interface net1"),
  ]

  @Test("CHECK tells what is wrong", arguments: damages)
  func damaged(_ damage: DamagingLine) throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    try fixture.lab.check(fixture.network(), fixture.pod).succeed()
    try fixture.pod.ip(damage.command)
    let before = try fixture.pod.picture()
    let message = try fixture.lab.check(fixture.network(), fixture.pod).error?.message
    #expect(message?.contains(damage.says) == true, "it said: \(message ?? "nothing")")
    try fixture.pod.expectUnchanged(since: before)
    try fixture.lab.delete(fixture.network(), fixture.pod).succeed()
    #expect(try fixture.rules() == [])
  }

  @Test("STATUS is well on a kernel with rules, and refuses a table that ADD would refuse")
  func status() throws {
    let fixture = try SourceRoutingFixture()
    for (keys, isWell) in [([:], true), (["table": 7], true), (["table": 0], false)]
      as [(JSONObject, Bool)]
    {
      var call = PluginCall(
        "sbr", fixture.network(keys).with(["cniVersion": "1.1.0", "prevResult": nil]).text)
      (call.container, call.interface) = (nil, nil)
      call.path = fixture.lab.pluginPath
      #expect((try fixture.lab.ask("STATUS", call).error == nil) == isWell)
    }
  }
}

@Suite("Changing over from upstream's sbr, and back", .needsRoot, .needsUpstream)
struct SourceRoutingUpstreamTests {
  @Test("our rules and tables are upstream's")
  func same() throws {
    func made(_ add: (SourceRoutingFixture) throws -> PluginOutcome) throws -> [[String]] {
      let fixture = try SourceRoutingFixture()
      try fixture.pod.ip("route add 10.8.0.0/16 via 10.2.0.9")
      try add(fixture).succeed()
      // Upstream also copies routes to tables of addresses of the other family.
      return [try fixture.rules(), try fixture.routes()]
    }
    let ours = try made { try $0.lab.add($0.network(), $0.pod) }
    let theirs = try made { try $0.lab.askUpstream("ADD", $0.network(), $0.pod) }
    #expect(ours[0] == theirs[0])
    #expect(Set(ours[1]).symmetricDifference(theirs[1]) == ["100: fd00:2::/64"])
  }

  @Test("our CHECK and DEL do for what upstream's ADD has made")
  func toOurs() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.askUpstream("ADD", fixture.network(), fixture.pod).succeed()
    try fixture.lab.check(fixture.network(), fixture.pod).succeed()
    try fixture.lab.delete(fixture.network(), fixture.pod).succeed()
    #expect(try fixture.rules() == [])
    #expect(try fixture.routes() == [])
  }

  @Test("upstream's DEL removes the rules that our ADD has made")
  func toUpstream() throws {
    let fixture = try SourceRoutingFixture()
    try fixture.lab.add(fixture.network(), fixture.pod).succeed()
    try fixture.lab.askUpstream("DEL", fixture.network(), fixture.pod).succeed()
    #expect(try fixture.rules() == [])
  }
}

extension Refusal {
  /// A previous result with one address of the interface.
  fileprivate init(address: String, gateway: String, says: String) {
    self.init(
      "\(address) via \(gateway)",
      [
        "prevResult": [
          "cniVersion": "1.0.0",
          "ips": [
            ["address": "fd00:2::2/64", "gateway": "fd00:2::1"],
            ["address": .string(address), "gateway": .string(gateway)],
          ],
        ]
      ], says: says)
  }
}
