import CNI
import JSON
import TestSupport
import Testing

@Suite("The firewall's configuration", .needsRoot)
struct FirewallConfigurationTests {
  /// Keys that cannot be served, and a word of the refusal.
  struct Case: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    let words: String
    var testDescription: String { words }
  }

  static let refused =
    [
      Case(keys: ["backend": "nonsense"], words: "unknown firewall backend \"nonsense\""),
      Case(keys: ["backend": 4], words: "backend: expected text"),
      Case(keys: ["ingressPolicy": "closed"], words: "unknown ingress policy: \"closed\""),
      Case(keys: ["ingressPolicy": true], words: "ingressPolicy: expected text"),
      Case(keys: ["checkForwarding": "no"], words: "checkForwarding: expected true or false"),
      Case(keys: ["firewalldZone": "two words"], words: "firewalldZone: \"two words\""),
      Case(keys: ["firewalldZone": "-x"], words: "firewalldZone: \"-x\""),
    ]
    + [
      "FORWARD", "CNI-FORWARD", "DROP", "firewall_forward", "drop", "two WORDS", "X\n-F", "-F",
      "1A",
      "CNI-ADMIN-IS-A-NAME-TOO-LONG0", "CNI;ADMIN", "Ä-B",
    ].map { Case(keys: ["iptablesAdminChainName": .string($0)], words: "iptablesAdminChainName: ") }

  @Test(
    "is refused with the key, the value and the remedy, and nothing is done", arguments: refused)
  func refusals(_ refusal: Case) throws {
    let node = try FirewallLab()
    let pod = try Pod("one")
    let first = try node.lab.add(node.bridge(), pod)
    let before = try node.lab.picture()
    let network = try node.firewall().after(first).with(refusal.keys)
    let error = try #require(try node.lab.add(network, pod).error)
    #expect(error.code == .invalidConfiguration)
    #expect(error.message.contains(refusal.words))
    try node.lab.expectUnchanged(since: before)
  }

  @Test("must come with a previous result")
  func noResult() throws {
    let node = try FirewallLab()
    let pod = try Pod("one")
    for command in ["ADD", "CHECK"] {
      let error = try node.lab.ask(command, node.lab.call(node.firewall(), pod)).error
      #expect(error?.code == .invalidConfiguration)
      #expect(error?.message == "missing prevResult from earlier plugin")
    }
    #expect(try node.lab.picture().filter { $0.contains("swift_cni") } == [])
  }

  @Test("with a policy must come behind a bridge", arguments: ["same-bridge", "isolated"])
  func noBridge(_ policy: String) throws {
    let node = try FirewallLab(["ingressPolicy": .string(policy)])
    try node.lab.ip("link add veth1 type veth peer name veth2")
    let before = try node.lab.picture()
    let pod = try Pod("one")
    for (interfaces, words) in [
      (JSONValue.array([]), "interface needs to be set for ingress policy \"\(policy)\""),
      ([["name": "eth0", "sandbox": .string(pod.path)]], "make sure to chain"),
      ([["name": ""]], "make sure to chain"), ([["name": "nowhere"]], "there is no bridge nowhere"),
      ([["name": "veth1"]], "veth1 is no bridge but of kind veth"),
    ] {
      let network = node.firewall().with([
        "prevResult": [
          "cniVersion": "1.0.0", "interfaces": interfaces, "ips": [["address": "10.1.0.2/24"]],
        ]
      ])
      let error = try #require(try node.lab.add(network, pod).error)
      #expect(error.message.contains(words), "\(error)")
      try node.lab.expectUnchanged(since: before)
    }
  }

  @Test("may be of each version from 0.4.0 on", arguments: ["0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let node = try FirewallLab()
    let pod = try Pod("one")
    let keys: JSONObject = ["cniVersion": .string(version)]
    let first = try node.lab.add(node.bridge().with(keys), pod)
    let network = try node.firewall().with(keys).after(first)
    let added = try node.lab.add(network, pod)
    #expect(try added.document() == first.document())
    try node.lab.check(network, pod).succeed()
    try node.lab.delete(network, pod).succeed()
  }

  @Test("of an older version is refused")
  func tooOld() throws {
    let node = try FirewallLab(["cniVersion": "0.3.1"])
    let error = try node.lab.add(node.firewall().with(["cniVersion": "0.3.1"]), try Pod("one"))
      .error
    #expect(error?.code == .incompatibleVersion)
  }
}
