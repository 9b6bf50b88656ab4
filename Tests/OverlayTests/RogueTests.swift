import Addressing
import JSON
import TestSupport
import Testing
import Witness

/// What an attacker on the network below, or a peer gone bad, can send: each packet is shown to
/// arrive once the filter is gone, so that it is the filter that stops it.
@Suite("Only peers speak, and only for their own pods (S12, CVE-2020-10136)", .needsRoot)
struct RogueTests {
  /// Somebody who sends what should not arrive.
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Which node of the lab does it; the third is no peer of the first.
    let node: Int
    /// What it prepares.
    let setting: String
    /// The address it claims, and the pod's family.
    let source: String
    let family: IPFamily
  }

  /// The hardware address of a tunnel of node 1, which anybody can compute or see.
  private static let toward = """
    ip neigh replace 10.5.1.0 lladdr MAC4 dev rogue nud permanent
    ip -6 neigh replace fd00:5:1:: lladdr MAC4 dev rogue nud permanent
    bridge fdb replace MAC4 dst 172.16.1.2 dev rogue self permanent
    ip route replace 10.5.1.0/24 via 10.5.1.0 dev rogue onlink
    ip -6 route replace fd00:5:1::/64 via fd00:5:1:: dev rogue onlink
    """

  /// Somebody who opens a tunnel to node 1 and speaks in it by a name; a peer does so in place of its
  /// own tunnels.
  private static func tunnel(
    of node: Int, claiming source: String, _ description: String, isOwn: Bool = false
  ) -> Attack {
    let family: IPFamily = source.contains(":") ? .v6 : .v4
    var lines = [
      "ip link add rogue up type vxlan id 1 dstport 8472 local 172.16.\(node).2 nolearning"
    ]
    if node == 2 { lines.insert("ip link del flannel.1; ip link del flannel-v6.1", at: 0) }
    if !isOwn {
      lines.append("ip addr add \(source)\(family == .v4 ? "/32" : "/128 nodad") dev rogue")
    }
    return Attack(
      testDescription: description, node: node,
      setting: (lines + [toward]).joined(separator: "\n"), source: source, family: family)
  }

  static let attacks = [
    tunnel(of: 3, claiming: "10.5.2.77", "a host that is no peer, in a peer's name"),
    tunnel(of: 3, claiming: "10.5.3.77", "a host that is no peer, in its own name"),
    tunnel(of: 2, claiming: "10.5.4.77", "a peer in the name of another node's pod"),
    tunnel(of: 2, claiming: "192.0.2.77", "a peer in the name of somebody outside"),
    tunnel(
      of: 2, claiming: "fd00:5:4::77", "a peer in the name of another node's pod, over IPv6"),
    tunnel(of: 2, claiming: "172.16.4.2", "a peer in the name of another node itself"),
    tunnel(
      of: 2, claiming: "fd00:100:4::2", "a peer in the name of another node itself, over IPv6"),
    tunnel(of: 3, claiming: "172.16.2.2", "a host that is no peer, in the name of a peer itself"),
    tunnel(of: 3, claiming: "172.16.3.2", "a host that is no peer, as itself", isOwn: true),
    Attack(
      testDescription: "a host past the tunnel, in a peer's pod's name", node: 3,
      setting: """
        ip addr add 10.5.2.77/32 dev lo
        ip route replace 10.5.1.0/24 via 172.16.3.1 src 10.5.2.77
        """, source: "10.5.2.77", family: .v4),
    Attack(
      testDescription: "a host past the tunnel, in the name of a pod of the node itself", node: 3,
      setting: """
        ip addr add 10.5.1.77/32 dev lo
        ip route replace 10.5.1.0/24 via 172.16.3.1 src 10.5.1.77
        """, source: "10.5.1.77", family: .v4),
  ]

  @Test("however others try", arguments: attacks)
  func refuses(attack: Attack) throws {
    let lab = try ClusterLab(3)
    // Node 1 knows node 2 alone; a peer that is named nowhere has 10.5.4.0/24.
    try lab[1].remove(peer: "node-3")
    try lab[1].write(
      peer: "node-4",
      [
        "name": "node-4", "underlay": ["172.16.4.2", "fd00:100:4::2"],
        "subnets": ["10.5.4.0/24", "fd00:5:4::/64"],
      ])
    for number in [1, 2] { try lab[number].apply() }
    let pod = try lab[1].pod("target")
    let peerPod = try lab[2].pod("peer")
    #expect(try Traffic.pings(try pod.address(.v4), from: peerPod.namespace))
    // The router takes what is sent past the tunnel to the first node, as a router of a hoster might.
    try lab.sh("ip route add 10.5.1.0/24 via 172.16.1.2")
    try lab.sh("echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter")

    let tunnel = try lab[1].run { try Witness.link(named: "flannel.1")?.hardwareAddress }
    let attacker = lab[attack.node]
    try attacker.sh(
      attack.setting.replacing("MAC4", with: try #require(tunnel)))
    try pod.sh(
      """
      nft -f - <<X
      table inet t { counter seen { };
        chain c { type filter hook prerouting priority -400;
          \(attack.family == .v4 ? "ip" : "ip6") saddr \(attack.source) counter name seen; }; }
      X
      """)
    let target = try pod.address(attack.family)
    let ping = "ping -n -c2 -i0.2 -W0.3 -I \(attack.source) \(target) || true"
    try attacker.sh(ping)
    #expect(try seen(pod) == 0)

    try lab[1].sh("nft delete table inet swift_cni_overlay")
    for _ in 1...5 where try seen(pod) == 0 { try attacker.sh(ping) }
    #expect(try seen(pod) > 0)

    // An apply shuts the door again.
    try lab[1].apply()
    let count = try seen(pod)
    try attacker.sh(ping)
    #expect(try seen(pod) == count)
  }

  @Test(
    "nor to the node's own address, by tunnel or past it", arguments: [3, 2], IPFamily.allCases)
  func refusesToNode(attacker number: Int, family: IPFamily) throws {
    let lab = try ClusterLab(3)
    try lab[1].remove(peer: "node-3")
    for number in [1, 2] { try lab[number].apply() }
    let node = lab[1]
    let target = node.underlay(family)
    // A pod of the peer is heard.
    let pod = try lab[2].pod("peer")
    #expect(try Traffic.pings(target, from: pod.namespace))

    let flag = family == .v4 ? "" : "-6"
    // Nobody's, and a pod's of the peer: which the peer itself may send by its tunnel alone.
    let sources = family == .v4 ? ["10.5.4.77", "10.5.2.77"] : ["fd00:5:4::77", "fd00:5:2::77"]
    let base = family == .v4 ? "10.5.1.0" : "fd00:5:1::"
    let tunnel = try #require(
      try node.run { try Witness.link(named: "flannel.1")?.hardwareAddress })
    let attacker = lab[number]
    try attacker.sh(
      """
      ip link del flannel.1 2>/dev/null; ip link del flannel-v6.1 2>/dev/null
      ip link add rogue up type vxlan id 1 dstport 8472 local 172.16.\(number).2 nolearning
      for a in \(sources.joined(separator: " ")); do ip addr add $a dev lo; done
      ip neigh replace \(base) lladdr \(tunnel) dev rogue nud permanent
      ip \(flag) route replace \(target) via \(base) dev rogue onlink table 77
      bridge fdb replace \(tunnel) dst 172.16.1.2 dev rogue self permanent
      nft delete table inet swift_cni_overlay 2>/dev/null || true
      """)
    try node.sh(
      """
      nft -f - <<X
      table inet t { counter seen { };
        chain c { type filter hook input priority 400;
          \(family == .v4 ? "ip" : "ip6") saddr { \(sources.joined(separator: ", ")) } \
      counter name seen; }; }
      X
      """)
    let wire = "while ip \(flag) rule del pref 77 2>/dev/null; do :; done"
    let inside = sources.map { "ip \(flag) rule add pref 77 from \($0) lookup 77" }
      .joined(separator: "; ")
    func send(_ way: String) throws {
      try attacker.sh("\(wire); \(way)")
      // The peer's own pods may speak in its tunnel.
      for source in sources where !(number == 2 && way == inside && source == sources[1]) {
        try attacker.sh("ping -n -c2 -i0.2 -W0.3 -I \(source) \(target) || true")
      }
    }
    for way in [wire, inside] { try send(way) }
    #expect(try seen(node) == 0)

    try node.sh("nft delete table inet swift_cni_overlay")
    for way in [wire, inside] {
      let before = try seen(node)
      for _ in 1...5 where try seen(node) == before { try send(way) }
      #expect(try seen(node) > before, "\(way)")
    }
  }

  private func seen(_ pod: LabPod) throws -> Int { try seen(in: pod.namespace) }

  private func seen(_ node: LabNode) throws -> Int { try seen(in: node.namespace) }

  private func seen(in namespace: borrowing FreshNamespace) throws -> Int {
    let text = try namespace.run { try Shell.run("nft list counter inet t seen") }
    let words = text.split(whereSeparator: \.isWhitespace)
    let place = try #require(words.firstIndex(of: "packets"))
    return try #require(Int(words[place + 1]))
  }

  @Test("and another network's tunnels on the same port are left alone")
  func sparesOthers() throws {
    let lab = try ClusterLab(2)
    try lab.apply()
    for (node, other) in [(lab[1], lab[2]), (lab[2], lab[1])] {
      try node.sh(
        """
        ip link add theirs address 02:00:00:00:00:0\(node.number) up type vxlan id 42 \
        dstport 8472 local \(node.underlay(.v4)) nolearning
        ip addr add 192.168.7.\(node.number)/24 dev theirs
        bridge fdb add 02:00:00:00:00:0\(other.number) dst \(other.underlay(.v4)) dev theirs \
        self permanent
        ip neigh add 192.168.7.\(other.number) lladdr 02:00:00:00:00:0\(other.number) dev theirs \
        nud permanent
        """)
    }
    #expect(try Traffic.pings("192.168.7.2", from: lab[1].namespace))
    #expect(try lab[1].apply() == "nothing to change")
  }
}
