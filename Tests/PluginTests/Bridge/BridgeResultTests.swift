import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("What bridge answers", .needsRoot)
struct BridgeResultTests {
  /// A version and the shape of its results; `%…` stand for what the kernel has chosen.
  struct Shape: Sendable, CustomTestStringConvertible {
    let version: String
    let text: String
    var testDescription: String { version }
  }

  static let current = """
    "interfaces":[{"mac":"%bridge"%mtu,"name":"cni0"},{"mac":"%port"%mtu,"name":"%name"},\
    {"mac":"%inside"%mtu,"name":"eth0","sandbox":"%sandbox"}],\
    "ips":[{"address":"10.1.2.2/24","gateway":"10.1.2.1","interface":2},\
    {"address":"fd00:1::2/64","gateway":"fd00:1::1","interface":2}],\
    "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1"},{"dst":"::/0","gw":"fd00:1::1"}]
    """

  static let older = """
    "dns":{},\
    "interfaces":[{"mac":"%bridge","name":"cni0"},{"mac":"%port","name":"%name"},\
    {"mac":"%inside","name":"eth0","sandbox":"%sandbox"}],\
    "ips":[{"address":"10.1.2.2/24","gateway":"10.1.2.1","interface":2,"version":"4"},\
    {"address":"fd00:1::2/64","gateway":"fd00:1::1","interface":2,"version":"6"}],\
    "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1"},{"dst":"::/0","gw":"fd00:1::1"}]
    """

  static let oldest = """
    "dns":{},\
    "ip4":{"gateway":"10.1.2.1","ip":"10.1.2.2/24",\
    "routes":[{"dst":"0.0.0.0/0","gw":"10.1.2.1"}]},\
    "ip6":{"gateway":"fd00:1::1","ip":"fd00:1::2/64","routes":[{"dst":"::/0","gw":"fd00:1::1"}]}
    """

  static let shapes = [
    Shape(version: "0.1.0", text: oldest), Shape(version: "0.2.0", text: oldest),
    Shape(version: "0.3.0", text: older), Shape(version: "0.3.1", text: older),
    Shape(version: "0.4.0", text: older), Shape(version: "1.0.0", text: current),
    Shape(version: "1.1.0", text: current),
  ]

  @Test("has the shape of the version that was asked for", arguments: shapes)
  func shape(_ shape: Shape) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "bridge", ["cniVersion": .string(shape.version), "isDefaultGateway": true],
      ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64"))
    let added = try lab.add(network, pod)
    try added.succeed()
    let port = try #require(try lab.ports().first)
    // 1.1.0 has a place for the MTU, which upstream leaves empty.
    let mtu = shape.version == "1.1.0" ? #","mtu":1500"# : ""
    let expected =
      ("{" + shape.text + #","cniVersion":"\#(shape.version)"}"#)
      .replacing("%mtu", with: mtu)
      .replacing("%bridge", with: try lab.link("cni0")?.hardwareAddress ?? "")
      .replacing("%port", with: port.hardwareAddress).replacing("%name", with: port.name)
      .replacing("%inside", with: try pod.link()?.hardwareAddress ?? "")
      .replacing("%sandbox", with: pod.path)
    #expect(try added.document().sorted == JSONParser.parse(expected).objectValue?.sorted)

    if shape.version >= "0.4.0" {
      try lab.check(network.after(added), pod).succeed()
    }
    try lab.delete(network.after(added), pod).succeed()
    #expect(try lab.ports().isEmpty)
    #expect(try lab.leases() == [])
  }

  /// What the network and its IPAM plugin say about names, and what is answered.
  struct Names: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let own: JSONValue?
    let answer: JSONValue?
  }

  static let names = [
    Names(
      testDescription: "the IPAM plugin's where the network says nothing", own: nil,
      answer: ["nameservers": ["192.0.2.53"], "search": ["ipam.example"]]),
    Names(
      testDescription: "the network's, all of it",
      own: ["nameservers": ["192.0.2.99"], "domain": "net.example"],
      answer: ["domain": "net.example", "nameservers": ["192.0.2.99"]]),
    Names(
      testDescription: "none where the network has an empty list", own: ["nameservers": []],
      answer: nil),
    Names(
      testDescription: "the IPAM plugin's where the network's domain is empty",
      own: ["domain": ""],
      answer: ["nameservers": ["192.0.2.53"], "search": ["ipam.example"]]),
  ]

  @Test("names the resolvers", arguments: names, PairPlugin.allCases)
  func resolvers(_ names: Names, _ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    var network = plugin.network(
      in: lab,
      ipam: [
        "type": "static", "addresses": [["address": "10.1.2.2/24", "gateway": "10.1.2.1"]],
        "dns": ["nameservers": ["192.0.2.53"], "search": ["ipam.example"]],
      ])
    if let own = names.own { network = network.with(["dns": own]) }
    let answer = try lab.add(network, try Pod("one")).document()["dns"]
    #expect(answer?.objectValue?.sorted == names.answer?.objectValue?.sorted)
  }
}

extension JSONObject {
  /// Its text with all keys in order, to compare what is said and not how.
  var sorted: String { JSONWriter.text(.object(self), sortedKeys: true) }
}
