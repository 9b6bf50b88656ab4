import CNI
import JSON
import TestSupport
import Testing

@Suite("STATUS of the firewall", .needsRoot)
struct FirewallStatusTests {
  @Test("is well on a host where nobody else filters, before pods and with them")
  func well() throws {
    let node = try FirewallLab()
    let before = try node.lab.picture()
    for backend in ["", "nftables", "iptables"] {
      try node.status(["backend": .string(backend)]).succeed()
    }
    try node.lab.expectUnchanged(since: before)
    try node.add(try Pod("one"))
    try node.status().succeed()
  }

  /// What drops forwarded packets, and how it is told.
  struct Blocker: Sendable, CustomTestStringConvertible {
    let lines: [String]
    let chain: String
    let remedy: String
    var testDescription: String { chain }
  }

  static let blockers = [
    Blocker(
      lines: ["iptables-nft -P FORWARD DROP"], chain: "chain FORWARD of table ip filter",
      remedy: "set \"backend\": \"iptables\""),
    Blocker(
      lines: ["iptables-legacy -P FORWARD DROP"],
      chain: "chain FORWARD of table filter (iptables-legacy)",
      remedy: "set \"backend\": \"iptables\""),
    Blocker(
      lines: ["iptables-nft -A FORWARD -i docker0 -j ACCEPT", "iptables-nft -A FORWARD -j REJECT"],
      chain: "chain FORWARD of table ip filter", remedy: "set \"backend\": \"iptables\""),
    Blocker(
      lines: [
        "nft add table inet mine",
        "nft add chain inet mine forward { type filter hook forward priority 0 ; policy drop ; }",
      ], chain: "chain forward of table inet mine", remedy: "accept packets from and to pods there"),
    Blocker(
      lines: [
        "nft add table inet firewalld",
        "nft add chain inet firewalld filter_FORWARD { type filter hook forward priority 10 ; }",
        "nft add rule inet firewalld filter_FORWARD ct state established accept",
        "nft add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited",
      ], chain: "chain filter_FORWARD of table inet firewalld",
      remedy: "set \"backend\": \"firewalld\""),
  ]

  @Test(
    "names the chain of somebody else that drops pods' packets, and how to open it",
    arguments: blockers)
  func blocked(_ blocker: Blocker) throws {
    let node = try FirewallLab()
    let outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    let pod = try Pod("one")
    try node.add(pod)
    #expect(try Traffic.pings("192.0.2.2", from: pod.namespace))
    for line in blocker.lines {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      try node.iptables(words[1], words[0])
    }
    // It is as STATUS says: no accept of ours opens it.
    #expect(try !Traffic.pings("192.0.2.2", from: pod.namespace, patience: "1"))
    let error = try #require(try node.status().error)
    #expect(error.code == .limitedConnectivity)
    #expect(error.message.contains(blocker.chain), "\(error)")
    #expect(error.details.contains(blocker.remedy), "\(error)")
    try node.status(["checkForwarding": false]).succeed()
    _ = outside.path
  }

  @Test("is well where chains that drop are not on pods' way")
  func elsewhere() throws {
    let node = try FirewallLab()
    for line in [
      "add table inet mine",
      "add chain inet mine input { type filter hook input priority 0 ; policy drop ; }",
      "add chain inet mine forward { type filter hook forward priority 0 ; }",
      "add rule inet mine forward ip saddr 192.0.2.0/24 drop", "add table bridge frames",
      "add chain bridge frames f { type filter hook forward priority 0 ; policy drop ; }",
    ] { try node.nft(line) }
    try node.iptables("-P FORWARD DROP", "ip6tables")
    // No pod has IPv6 yet.
    try node.status().succeed()
    try node.add(try Pod("one"))
    #expect(
      try node.status().error?.message == "packets of pods are dropped by chain FORWARD of table "
        + "ip6 filter")
  }

  @Test("is well with the iptables backend, which opens FORWARD for its pods")
  func opened() throws {
    let node = try FirewallLab(["backend": "iptables"])
    let outside = try node.lab.outside(knowing: "10.1.0.0/24", "fd00:1::/64")
    try node.iptables("-P FORWARD DROP")
    try node.iptables("-P FORWARD DROP", "ip6tables")
    try node.status().succeed()
    let pod = try Pod("one")
    let network = try node.add(pod)
    for address in ["192.0.2.2", "2001:db8::2"] {
      #expect(try Traffic.pings(address, from: pod.namespace))
    }
    #expect(try !Traffic.pings("10.1.0.2", from: outside, patience: "1"))
    try node.lab.delete(network, pod).succeed()
    #expect(try !Traffic.pings("192.0.2.2", from: pod.namespace, patience: "1"))
  }

  @Test("says that firewalld is not there to be the backend")
  func noFirewalld() throws {
    let node = try FirewallLab()
    let error = try #require(
      try node.status(["backend": "firewalld"]).error)
    #expect(error.code == .notReady)
    #expect(error.message.contains("firewalld"))
  }
}
