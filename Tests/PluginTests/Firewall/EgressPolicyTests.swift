import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("An egress policy", .needsRoot)
struct EgressPolicyTests {
  /// A value that cannot be served, and words of the refusal.
  struct Case: Sendable, CustomTestStringConvertible {
    let policy: JSONValue
    let words: String
    var testDescription: String { words }
  }

  private static func entry(_ entry: JSONValue) -> JSONValue {
    ["default": "deny", "allow": [entry]]
  }

  private static func port(_ port: JSONValue) -> JSONValue {
    entry(["cidr": "10.0.0.0/8", "ports": [port]])
  }

  static let refused = [
    Case(policy: "closed", words: #"unknown egress policy: "closed""#),
    Case(policy: 7, words: "egressPolicy: expected an object"),
    Case(policy: [:], words: "egressPolicy.default: it is missing"),
    Case(policy: ["default": "open"], words: #"egressPolicy.default: unknown value "open""#),
    Case(
      policy: ["default": "deny", "deny": []], words: "egressPolicy.deny: there is no such key"),
    Case(
      policy: ["default": "deny", "allow": "10.0.0.0/8"], words: "egressPolicy.allow: expected"),
    Case(policy: ["default": "deny", "allow": ["10.0.0.0/8"]], words: "egressPolicy.allow[0]"),
    Case(policy: entry([:]), words: "egressPolicy.allow[0].cidr: expected a network as text"),
    Case(
      policy: entry(["cidr": "10.0.0.1/8"]), words: "host bits are set; the network is 10.0.0.0/8"),
    Case(policy: entry(["cidr": "10.0.0.0"]), words: "egressPolicy.allow[0].cidr"),
    Case(
      policy: entry(["cidr": "10.0.0.0/8", "port": 80]),
      words: "allow[0].port: there is no such key"),
    Case(
      policy: entry(["cidr": "10.0.0.0/8", "except": ["192.0.2.0/24"]]),
      words: "egressPolicy.allow[0].except: 192.0.2.0/24 does not lie in 10.0.0.0/8"),
    Case(policy: entry(["cidr": "10.0.0.0/8", "except": ["::/0"]]), words: "does not lie in"),
    Case(policy: entry(["cidr": "10.0.0.0/8", "ports": []]), words: "ports: there is none"),
    Case(policy: port(["protocol": "icmp"]), words: #"ports[0].protocol: unknown protocol "icmp""#),
    Case(policy: port(["port": 0]), words: "ports[0].port: 0 to 0 are no ports"),
    Case(policy: port(["port": 65_536]), words: "ports[0].port: expected a whole number"),
    Case(policy: port(["port": "http"]), words: "ports[0].port: expected a whole number"),
    Case(policy: port(["port": 80, "endPort": 79]), words: "80 to 79 are no ports"),
    Case(policy: port(["endPort": 79]), words: #"endPort: there is no "port""#),
    Case(
      policy: [
        "default": "deny", "allow": .array((0...64).map { ["cidr": .string("10.\($0).0.0/16")] }),
      ],
      words: "egressPolicy.allow: more than 64 entries"),
    Case(
      policy: [
        "default": "deny",
        "allow": .array(
          (0..<64).map { net in
            [
              "cidr": .string("10.\(net).0.0/16"),
              "ports": .array((1...17).map { ["port": .number("\($0 * 2)")] }),
            ]
          }),
      ], words: "more than 1024 networks and ports"),
  ]

  @Test(
    "is refused with the key, the value and the remedy, and nothing is done", arguments: refused)
  func refusals(_ refusal: Case) throws {
    let node = try FirewallLab()
    let pod = try Pod("one")
    let first = try node.lab.add(node.bridge(), pod)
    let before = try node.lab.picture()
    let network = try node.firewall().after(first).with(["egressPolicy": refusal.policy])
    let error = try #require(try node.lab.add(network, pod).error)
    #expect(error.code == .invalidConfiguration)
    #expect(error.message.contains(refusal.words), "\(error)")
    #expect(
      !error.details.isEmpty || error.message.contains("expected") || error.message.contains("cidr")
    )
    try node.lab.expectUnchanged(since: before)
  }

  @Test(
    "and dropInvalid are refused with the backends that do not have them",
    arguments: ["iptables", "firewalld"], ["egressPolicy", "dropInvalid"])
  func otherBackends(_ backend: String, _ key: String) throws {
    let node = try FirewallLab(["backend": .string(backend)])
    let pod = try Pod("one")
    let first = try node.lab.add(node.bridge(), pod)
    let before = try node.lab.picture()
    let value: JSONValue = key == "dropInvalid" ? true : ["default": "deny"]
    let error = try node.lab.add(node.firewall().after(first).with([key: value]), pod).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message == "\(key): backend \"\(backend)\" has no such rules")
    try node.lab.expectUnchanged(since: before)
  }

  @Test("is refused for pods whose packets the host does not route")
  func unseen() throws {
    let node = try FirewallLab(["egressPolicy": ["default": "deny"]])
    let pod = try Pod("one")
    try node.lab.ip("link add lower type veth peer name lower2")
    try node.lab.ip("link add shim link lower type macvlan")
    let before = try node.lab.picture()
    for interfaces: JSONValue in [
      [], [["name": "eth0", "sandbox": .string(pod.path)]], [["name": "nowhere"]],
      [["name": "shim"]],
    ] {
      let network = node.firewall().with([
        "prevResult": [
          "cniVersion": "1.0.0", "interfaces": interfaces, "ips": [["address": "10.1.0.2/24"]],
        ]
      ])
      let error = try #require(try node.lab.add(network, pod).error)
      #expect(error.code == .invalidConfiguration)
      #expect(error.message.contains("does not pass the packet filter"), "\(error)")
      try node.lab.expectUnchanged(since: before)
    }
  }

  @Test("is refused where neighbours reach each other past it, unless they may or cannot")
  func bridged() throws {
    let lab = try EgressLab(["default": "deny"])
    let pod = try Pod("one")
    let first = try lab.lab.add(lab.node.bridge(), pod)
    let network = try lab.node.firewall().after(first)
    try lab.show("0")
    let before = try lab.lab.picture()
    let error = try #require(try lab.lab.add(network, pod).error)
    #expect(error.message == "egressPolicy: pods on foo reach each other past the packet filter")
    #expect(error.details.contains("net.bridge.bridge-nf-call-iptables"))
    #expect(error.details.contains(#""isolated""#))
    try lab.lab.expectUnchanged(since: before)
    let subnets: JSONValue = [["cidr": "10.1.0.0/24"], ["cidr": "fd00::/16"]]
    try lab.lab.add(
      network.with(["egressPolicy": ["default": "deny", "allow": subnets]]), pod
    ).succeed()
    guard try lab.show("1") else { return }
    try lab.lab.add(network.with(["ingressPolicy": "isolated"]), pod).succeed()
    try lab.lab.add(network, pod).succeed()
    try lab.lab.check(network, pod).succeed()
    try lab.show("0")
    #expect(try lab.lab.check(network, pod).error != nil)
  }

  @Test("is elements for each pod, and rules for each policy; GC forgets those without pods")
  func elements() throws {
    let lab = try EgressLab(["default": "deny", "allow": [["cidr": "10.0.0.0/8"]]])
    let node = lab.node
    let settled = try Pod("zero")
    try node.delete(settled, try node.add(settled))
    try node.collect(keeping: []).succeed()
    let before = try lab.lab.picture()
    let pods = try ["one", "two", "three"].map { try Pod($0) }
    let first = try node.add(pods[0])
    let one = try lab.policies()
    #expect(one.count == 1)
    let rules = try lab.lab.host.run { try Witness.nftablesRules() }.count
    // The same in other words.
    let same: JSONValue = [
      "default": "deny", "allow": [["cidr": "10.128.0.0/9"], ["cidr": "10.0.0.0/9"]],
    ]
    let second = try node.add(pods[1], to: "foo", ["egressPolicy": same])
    #expect(try lab.policies() == one)
    #expect(try lab.lab.host.run { try Witness.nftablesRules() }.count == rules)
    let third = try node.add(pods[2], to: "foo", ["egressPolicy": ["default": "deny"]])
    #expect(try lab.policies().count == 2)
    for (pod, network) in zip(pods, [first, second, third]) {
      try lab.lab.check(network, pod).succeed()
      let picture = try lab.lab.picture()
      try lab.lab.add(network, pod).succeed()
      try lab.lab.expectUnchanged(since: picture)
    }
    let identifier = one[0].dropFirst("firewall_egress_".count)
    #expect(try node.elements("firewall_egress_v6_\(identifier)").count == 2)
    #expect(
      try node.elements("firewall_egress_v4_\(identifier)").allSatisfy {
        $0.contains("net: foo, if: eth0, id: ")
      })
    // A pod that gets another policy leaves the old one.
    try lab.lab.add(second.with(["egressPolicy": ["default": "deny"]]), pods[1]).succeed()
    #expect(try node.elements("firewall_egress_v4_\(identifier)").count == 1)
    #expect(try lab.lab.check(second, pods[1]).error != nil)

    try node.delete(pods[0], first)
    try node.collect(keeping: [pods[1], pods[2]]).succeed()
    #expect(try lab.policies().count == 1)
    try lab.lab.check(third, pods[2]).succeed()
    // Neither namespace nor previous result is needed, and twice is fine.
    for pod in pods.dropFirst() {
      for _ in 1...2 {
        var call = lab.lab.call(node.firewall(), pod)
        call.namespace = nil
        try lab.lab.ask("DEL", call).succeed()
      }
      try lab.lab.delete(node.bridge(), pod).succeed()
    }
    for _ in 1...2 { try node.collect(keeping: []).succeed() }
    #expect(try lab.policies() == [])
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("reads as nft would load it again, and comes back when all rules were flushed")
  func loadable() throws {
    let lab = try EgressLab(EgressPacketTests.policy, ["dropInvalid": true])
    let pod = try Pod("one")
    let network = try lab.node.add(pod)
    let whole = try lab.lab.picture()
    try lab.lab.host.run {
      func nft(_ arguments: [String], _ input: [UInt8] = []) throws -> [UInt8] {
        let ran = try ChildProcess.run(
          "/usr/sbin/nft", arguments: arguments, environment: Environment(), input: input)
        #expect(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
        return ran.output
      }
      let list = ["list", "table", "inet", "swift_cni"]
      let listed = try nft(list)
      _ = try nft(["-f", "-"], Array("flush ruleset\n".utf8) + listed)
      let again = try nft(list)
      #expect(Self.lines(again) == Self.lines(listed))
    }
    try lab.lab.check(network, pod).succeed()
    // What nft has loaded has a step more, which turns the protocol's one byte round.
    for line in [
      "flush ruleset", "flush chain inet swift_cni firewall_invalid",
      "flush set inet swift_cni firewall_invalid_v6", "delete table inet swift_cni",
    ] {
      try lab.node.nft(line)
      #expect(try lab.lab.check(network, pod).error?.code == .internalFailure, "\(line)")
      try lab.lab.add(network, pod).succeed()
      try lab.lab.check(network, pod).succeed()
      #expect(try lab.lab.leftovers(since: whole) == [], "\(line)")
    }
  }

  /// The words of a listing, in an order of their own: elements come in whichever order they lie.
  private static func lines(_ listing: [UInt8]) -> [Substring] {
    String(decoding: listing, as: UTF8.self).split { $0.isWhitespace || $0 == "," }.sorted()
  }
}
