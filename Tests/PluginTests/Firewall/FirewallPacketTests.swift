import JSON
import TestSupport
import Testing

@Suite("Packets behind the firewall", .needsRoot)
struct FirewallPacketTests {
  /// A policy, and which pods a pod then reaches.
  struct Policy: Sendable, CustomTestStringConvertible {
    let name: String
    let reachesNeighbour: Bool
    let reachesOtherBridge: Bool
    var testDescription: String { name }
  }

  static let policies = [
    Policy(name: "", reachesNeighbour: true, reachesOtherBridge: true),
    Policy(name: "open", reachesNeighbour: true, reachesOtherBridge: true),
    Policy(name: "same-bridge", reachesNeighbour: true, reachesOtherBridge: false),
    Policy(name: "isolated", reachesNeighbour: false, reachesOtherBridge: false),
  ]

  @Test(
    "go between pods as the ingress policy says, and to and from the host and the outside always",
    arguments: policies, ["nftables", "iptables"])
  func passage(_ policy: Policy, _ backend: String) throws {
    let node = try FirewallLab([
      "ingressPolicy": .string(policy.name), "backend": .string(backend),
    ])
    let lab = node.lab
    let outside = try lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pods = try ["one", "two", "three"].map { try Pod($0) }
    let firewalls = try zip(pods, ["foo", "foo", "bar"]).map { try node.add($0, to: $1) }
    for (pod, firewall) in zip(pods, firewalls) { try lab.check(firewall, pod).succeed() }
    for family in 0...1 {
      let neighbour = PodAddress.second[family]
      let other = PodAddress.other[family]
      let own = PodAddress.first[family]
      #expect(
        try Traffic.pings(
          neighbour, from: pods[0].namespace, patience: policy.reachesNeighbour ? nil : "1")
          == policy.reachesNeighbour)
      #expect(
        try Traffic.pings(
          other, from: pods[0].namespace, patience: policy.reachesOtherBridge ? nil : "1")
          == policy.reachesOtherBridge)
      #expect(
        try Traffic.pings(
          own, from: pods[2].namespace, patience: policy.reachesOtherBridge ? nil : "1")
          == policy.reachesOtherBridge)
      #expect(
        try Traffic.exchange(
          .tcp, from: pods[0].namespace, to: outside, at: ["192.0.2.2", "2001:db8::2"][family])
          == own)
      #expect(try Traffic.pings(own, from: lab.host))
      #expect(try Traffic.pings(own, from: outside))
    }
  }

  @Test("of pods without a policy go to bridges with one, as with upstream")
  func mixed() throws {
    let node = try FirewallLab()
    let pods = try ["one", "three"].map { try Pod($0) }
    try node.add(pods[0], to: "foo", ["ingressPolicy": "same-bridge"])
    try node.add(pods[1], to: "bar")
    for family in 0...1 {
      #expect(try Traffic.pings(PodAddress.first[family], from: pods[1].namespace))
    }
  }

  @Test("are kept apart still when a pod has gone and another is going")
  func staysApart() throws {
    let node = try FirewallLab(["ingressPolicy": "isolated"])
    let pods = try ["one", "two", "three"].map { try Pod($0) }
    let firewalls = try zip(pods, ["foo", "foo", "bar"]).map { try node.add($0, to: $1) }
    // The firewall's DEL comes before the bridge's, so all of them are still connected.
    for (pod, firewall) in zip(pods, firewalls) { try node.lab.delete(firewall, pod).succeed() }
    for family in 0...1 {
      for address in [PodAddress.second[family], PodAddress.other[family]] {
        #expect(try !Traffic.pings(address, from: pods[0].namespace, patience: "1"))
      }
    }
  }

  @Test("obey the administrator's chain, which ADD, DEL and GC leave alone")
  func administrator() throws {
    let node = try FirewallLab(["iptablesAdminChainName": "MY-RULES"])
    let outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pods = try ["one", "two"].map { try Pod($0) }
    try node.add(pods[0])
    try node.nft("add rule inet swift_cni MY-RULES ip saddr 10.1.0.2 drop")
    let second = try node.add(pods[1])
    #expect(try !Traffic.pings("192.0.2.2", from: pods[0].namespace, patience: "1"))
    #expect(try Traffic.pings("192.0.2.2", from: pods[1].namespace))
    try node.delete(pods[1], second)
    try node.collect(keeping: [pods[0]]).succeed()
    // Another network has another such chain; both hold.
    try node.add(try Pod("three"), to: "bar", ["iptablesAdminChainName": "THEIR-RULES"])
    #expect(try !Traffic.pings("192.0.2.2", from: pods[0].namespace, patience: "1"))
    try node.nft("flush chain inet swift_cni MY-RULES")
    #expect(try Traffic.pings("192.0.2.2", from: pods[0].namespace))
    _ = outside.path
  }

  @Test(
    "of pods alone, and answers to them, pass a chain whose policy the administrator makes drop")
  func denyByDefault() throws {
    let node = try FirewallLab()
    let lab = node.lab
    let outside = try lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pods = try ["one", "two"].map { try Pod($0) }
    let first = try node.add(pods[0])
    try node.nft("chain inet swift_cni firewall_forward { policy drop ; }")
    // Whatever changes later, the administrator's policy stays.
    try node.add(pods[1], to: "foo", ["iptablesAdminChainName": "MY-RULES"])
    for family in 0...1 {
      let there = ["192.0.2.2", "2001:db8::2"][family]
      let own = PodAddress.first[family]
      #expect(
        try Traffic.exchange(.tcp, from: pods[0].namespace, to: outside, at: there) == own)
      #expect(
        try Traffic.exchange(
          .tcp, from: outside, to: pods[0].namespace, at: own, patience: .seconds(1)) == nil)
    }
    try lab.delete(first, pods[0]).succeed()
    // Its link is still there; what let its packets through is not.
    for there in ["192.0.2.2", "2001:db8::2"] {
      #expect(try !Traffic.pings(there, from: pods[0].namespace, patience: "1"))
      #expect(try Traffic.pings(there, from: pods[1].namespace))
    }
  }
}
