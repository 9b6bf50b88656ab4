import Addressing
import JSON
import Linux
import TestSupport
import Testing

/// containernetworking/plugins#816: what a pod sends that belongs to no connection leaves untranslated,
/// and whoever hears a stranger refuses; that refusal fits the pod's connection and breaks it off.
@Suite("What a pod sends that belongs to no connection", .needsRoot)
struct InvalidPacketTests {
  @Test(
    "is dropped with dropInvalid, and breaks a connection off without",
    arguments: IPFamily.allCases, [true, false])
  func stray(_ family: IPFamily, _ isDropped: Bool) throws {
    let node = try FirewallLab(["dropInvalid": .bool(isDropped)])
    let outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pod = try Pod("one")
    let network = try node.add(pod)
    try node.lab.check(network, pod).succeed()
    let own = PodAddress.first[family == .v4 ? 0 : 1]
    let (ip, front, there) =
      family == .v4 ? ("ip", "192.0.2.1", "\(own):7070") : ("ip6", "2001:db8::1", "[\(own)]:7070")
    for line in [
      "add table inet t", "add counter inet t strays", "add counter inet t left",
      "add chain inet t in { type nat hook prerouting priority -100 ; }",
      "add rule inet t in tcp dport 80 dnat \(ip) to \(there)",
      "add chain inet t first { type filter hook prerouting priority 0 ; }",
      "add rule inet t first ct state invalid tcp sport 7070 counter name strays",
      "add chain inet t last { type filter hook postrouting priority 400 ; }",
      "add rule inet t last ct state invalid tcp sport 7070 counter name left",
    ] { try node.nft(line) }

    let server = try pod.run { try StrayServer(at: try IPAddress(own), port: 7_070) }
    let client = try outside.run { try NetSocket(.tcp, family) }
    try #require(
      try client.connect(try IPAddress(front), port: 80, patience: 10_000) == .connected)
    try server.accept()
    #expect(try server.speak(with: client) == 1)
    if isDropped {
      // A busy machine may lose some before the host has seen them.
      for _ in 0..<50 where try count("strays", node) < 3 { try pod.run { try server.sendStray() } }
      #expect(try count("strays", node) >= 3)
      #expect(try count("left", node) == 0)
      #expect(!server.isReset)
      #expect(try server.speak(with: client) == 1)
      // It is the rule that keeps them away.
      try node.nft("flush chain inet swift_cni firewall_invalid")
    }
    for _ in 0..<50 where !server.isReset { try pod.run { try server.sendStray() } }
    #expect(server.isReset)
    #expect(try count("left", node) > 0)
  }

  @Test("is dropped on its way to a pod, too, and not that of pods without the key")
  func bothWays() throws {
    let node = try FirewallLab()
    let outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pods = try ["one", "two"].map { try Pod($0) }
    try node.add(pods[0], to: "foo", ["dropInvalid": true])
    try node.add(pods[1])
    for line in [
      "add table inet t", "add counter inet t one", "add counter inet t two",
      "add counter inet t seen",
      "add chain inet t first { type filter hook prerouting priority 0 ; }",
      "add rule inet t first ct state invalid tcp sport 7070 counter name seen",
      "add chain inet t last { type filter hook postrouting priority 400 ; }",
      "add rule inet t last ip daddr 10.1.0.2 ct state invalid counter name one",
      "add rule inet t last ip daddr 10.1.0.3 ct state invalid counter name two",
    ] { try node.nft(line) }
    // Half of a connection that was never asked for.
    for (address, counter) in [("10.1.0.3", "two"), ("10.1.0.2", "seen")] {
      let before = try count(counter, node)
      for _ in 0..<50 where try count(counter, node) < before + 3 {
        try outside.run { try StrayServer.agree(from: "192.0.2.2", to: address) }
      }
      #expect(try count(counter, node) >= before + 3, "\(counter)")
    }
    #expect(try count("one", node) == 0)
  }

  private func count(_ name: String, _ node: FirewallLab) throws -> Int {
    try FirewallLab.count(name, in: node.lab.host)
  }
}
