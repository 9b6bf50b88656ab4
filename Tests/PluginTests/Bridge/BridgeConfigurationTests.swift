import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("A bridge configuration", .needsRoot)
struct BridgeConfigurationTests {
  /// Keys that contradict themselves or the world, and what is said about them.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    let message: String
    var testDescription: String { JSONWriter.text(.object(keys)) }
  }

  static let refusals = [
    Refusal(
      keys: ["vlan": 4095], message: "invalid VLAN ID 4095 (must be between 0 and 4094)"),
    Refusal(keys: ["vlan": -1], message: "invalid VLAN ID -1 (must be between 0 and 4094)"),
    Refusal(
      keys: ["vlanTrunk": [["minID": 0, "maxID": 5]]], message: "incorrect trunk minID parameter"),
    Refusal(
      keys: ["vlanTrunk": [["minID": 1, "maxID": 4095]]],
      message: "incorrect trunk maxID parameter"),
    Refusal(
      keys: ["vlanTrunk": [["minID": 9, "maxID": 5]]],
      message: "minID is greater than maxID in trunk parameter"),
    Refusal(
      keys: ["vlanTrunk": [["maxID": 5]]],
      message: "minID and maxID should be configured simultaneously, minID is missing"),
    Refusal(
      keys: ["vlanTrunk": [["id": 7], ["minID": 5]]],
      message: "minID and maxID should be configured simultaneously, maxID is missing"),
    Refusal(keys: ["vlanTrunk": [["id": 0]]], message: "incorrect trunk id parameter"),
    Refusal(keys: ["vlanTrunk": [["id": 4095]]], message: "incorrect trunk id parameter"),
    Refusal(
      keys: ["hairpinMode": true, "promiscMode": true],
      message: "cannot set hairpin mode and promiscuous mode at the same time"),
    Refusal(
      keys: [
        "disableContainerInterface": true,
        "ipam": ["type": "static", "addresses": [["address": "10.1.2.3/24"]]],
      ], message: "cannot use IPAM when DisableContainerInterface flag is set"),
    Refusal(
      keys: ["ipMasq": true, "ipMasqBackend": "ebtables"],
      message: "unknown ipmasq backend \"ebtables\""),
  ]

  @Test(
    "that contradicts itself is refused in upstream's words and changes nothing",
    arguments: refusals)
  func contradictions(_ refusal: Refusal) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let pod = try Pod("one")
    let error = try lab.add(lab.network("bridge", refusal.keys), pod).error
    #expect(error?.message == refusal.message)
    #expect(error?.code == .invalidConfiguration)
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }

  static let malformed: [JSONObject] = [
    ["bridge": "a-name-of-sixteen"], ["bridge": "a/b"], ["bridge": ".."], ["bridge": "a b"],
    ["bridge": "br%d"], ["bridge": "a\u{0}b"], ["bridge": 7],
    ["mtu": -1], ["mtu": 67], ["mtu": 65536], ["mtu": "1500"], ["mtu": .number("1500.5")],
    ["mtu": .number("18446744073709553116")], ["mtu": .number("1e99")],
    ["vlan": .number("4294967297")], ["vlan": "7"], ["vlanTrunk": 7], ["vlanTrunk": [7]],
    ["isGateway": "true"], ["isGateway": 1], ["hairpinMode": []], ["macspoofchk": "yes"],
    ["args": ["cni": ["mac": "02:00:00:00:00"]]], ["args": ["cni": ["mac": 7]]],
    ["runtimeConfig": ["mac": "gg:00:00:00:00:00"]],
    ["runtimeConfig": ["mac": "ff:ff:ff:ff:ff:ff"]],
    ["runtimeConfig": ["mac": "01:00:5e:00:00:01"]],
    ["runtimeConfig": ["mac": "00:00:00:00:00:00"]],
  ]

  @Test(
    "with a value of the wrong kind or size is refused and changes nothing",
    arguments: malformed)
  func values(_ keys: JSONObject) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let pod = try Pod("one")
    let error = try lab.add(lab.network("bridge", keys), pod).error
    #expect([.invalidConfiguration, .decodingFailure].contains(error?.code))
    let key = keys.members[0].key
    let subject = keys[key]?.objectValue == nil ? key : "mac"
    #expect(error.map { "\($0.message) \($0.details)".contains(subject) } == true)
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }

  @Test("is read without regard to case, and the last of several keys counts")
  func spelling() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    var network = lab.network("bridge", ["BRIDGE": "br0", "MTU": 1400, "isgateway": true])
    network.document.members.append(JSONMember("mtu", 1300))
    network.document["IPAM"] = ["TYPE": "static", "Addresses": [["address": "10.1.2.3/24"]]]
    try lab.add(network, pod).succeed()
    #expect(try lab.addresses(on: "br0") == ["10.1.2.1/24"])
    #expect(try pod.link()?.mtu == 1300)
  }

  @Test("with null values is one without these keys")
  func nulls() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "bridge",
      [
        "bridge": nil, "mtu": nil, "vlan": nil, "vlanTrunk": nil, "isGateway": nil, "ipam": nil,
        "runtimeConfig": nil, "args": nil, "dns": nil, "ipMasqBackend": nil,
      ])
    try lab.add(network, try Pod("one")).succeed()
    #expect(try lab.link("cni0")?.mtu == 1500)
  }
}
