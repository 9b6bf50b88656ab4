import Addressing
import JSON
import Overlay
import TestSupport
import Testing
import Witness

@Suite("An MTU that was learnt")
struct PathMTUTests {
  /// What the kernel says of the path to a peer, over IPv4 and 1500 bytes.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var learnt: Int
    /// The tunnels as they are, over IPv4 and IPv6.
    var tunnels = (1450, 1430)
    var links: Set<Int> = [1450, 1430]
    /// What is to be believed.
    var mtu: Int
  }

  static let cases = [
    Case(testDescription: "of a router's making is believed", learnt: 1400, mtu: 1400),
    Case(testDescription: "that leaves hardly anything is believed", learnt: 1280, mtu: 1280),
    Case(testDescription: "of pods over IPv4 alone is an echo", learnt: 1450, mtu: 1500),
    Case(testDescription: "of pods over IPv6 is an echo", learnt: 1430, mtu: 1500),
    Case(
      testDescription: "of pods' links, however they came to it, is an echo", learnt: 1390,
      links: [1450, 1430, 1390], mtu: 1500),
    Case(
      testDescription: "of pods, learnt before there are tunnels, is an echo", learnt: 1430,
      tunnels: (0, 0), links: [], mtu: 1500),
    Case(
      testDescription: "that hides a router's word lets it stand", learnt: 1330,
      tunnels: (1350, 1330), mtu: 1400),
    Case(
      testDescription: "of a tunnel that is smaller for another reason does not keep it so",
      learnt: 1430, tunnels: (1200, 1430), mtu: 1500),
    Case(
      testDescription: "is not believed twice, if it once was", learnt: 1360,
      tunnels: (1380, 1360), links: [1380, 1360], mtu: 1430),
  ]

  @Test("is taken for what it is", arguments: cases)
  func judges(_ example: Case) throws {
    let peer = try IPAddress("172.16.2.2")
    let own = try IPAddress("172.16.1.2")
    let judged = PathMTU.judge(
      [
        peer: UnderlayPath(linkIndex: 2, mtu: 1500, learntMTU: example.learnt),
        own: UnderlayPath(linkIndex: 2, mtu: 1500),
      ],
      tunnels: example.tunnels.0 == 0 ? [:] : [.v4: example.tunnels.0, .v6: example.tunnels.1],
      links: example.links)
    #expect(
      judged == [
        peer: UnderlayPath(linkIndex: 2, mtu: example.mtu),
        own: UnderlayPath(linkIndex: 2, mtu: 1500),
      ])
  }
}

/// A pod behind a mapped port of node 1 refuses, in the name of that node, what is too long for it.
@Suite("An MTU that comes back", .needsRoot)
struct EchoTests {
  /// Lets node 2 learn of the path to node 1 by echo requests that a pod there answers, or not yet.
  private func learn(_ lab: ClusterLab, _ family: IPFamily, _ mtu: Int, size: Int) throws {
    let target = lab[1].underlay(family)
    // A frame may get lost on a busy machine.
    for _ in 0..<20 where try learnt(lab, family) != mtu {
      _ = try Traffic.pings(target, from: lab[2].namespace, size: size, patience: "0.5")
    }
    #expect(try learnt(lab, family) == mtu)
  }

  /// What node 2 knows of the path to node 1, until it forgets that.
  private func learnt(_ lab: ClusterLab, _ family: IPFamily) throws -> Int? {
    let text = try lab[2].run { try Shell.run("ip route get \(lab[1].underlay(family))") }
    let words = text.split(whereSeparator: \.isWhitespace)
    #expect(words.contains("expires") == words.contains("mtu"))
    return words.firstIndex(of: "mtu").flatMap { Int(words[$0 + 1]) }
  }

  /// All of node 2, but for what it has learnt of the path.
  private func configured(_ lab: ClusterLab) throws -> [String] {
    try lab[2].snapshot().filter { line in
      !IPFamily.allCases.contains { line.hasPrefix("route \(lab[1].underlay($0))/") }
    }
  }

  @Test("from pods is no news, and a router's word is", arguments: IPFamily.allCases)
  func judges(family: IPFamily) throws {
    let lab = try ClusterLab(2, settings: ["masquerade": true])
    try lab.apply()
    let pods = try lab.pods()
    try lab[1].sh(
      """
      nft -f - <<X
      table inet mapped { chain c { type nat hook prerouting priority dstnat;
        ip daddr 172.16.1.2 icmp type echo-request dnat ip to \(try pods[0].address(.v4))
        ip6 daddr fd00:100:1::2 icmpv6 type echo-request dnat ip6 to \(try pods[0].address(.v6))
      }; }
      X
      """)
    let node = lab[2]
    try learn(lab, family, 1430, size: 1440)
    let whole = try configured(lab)
    #expect(try node.cnictl("show").contains("all is as it should be"))
    for _ in 1...2 { #expect(try node.apply() == "nothing to change") }
    #expect(try configured(lab) == whole)
    // Nor is it when all begins anew.
    try node.cnictl("leave")
    try node.apply()
    #expect(Witness.difference(from: whole, to: try configured(lab)) == [])

    // The router's link to node 1 gets smaller.
    try lab.sh("ip link set node1 mtu 1400")
    try lab[1].sh("ip link set eth0 mtu 1400")
    try learn(lab, family, 1400, size: 1390)
    let mtu: UInt32 = family == .v4 ? 1350 : 1330
    let tunnel = family == .v4 ? "flannel.1" : "flannel-v6.1"
    try node.apply()
    #expect(try node.run { try Witness.link(named: tunnel)?.mtu } == mtu)
    #expect(try node.directory.text("run/subnet.env")?.contains("FLANNEL_MTU=\(mtu)\n") == true)
    #expect(try node.apply() == "nothing to change")

    // Node 1 knows by its own link, and its pods refuse what is longer than is left of that.
    try lab[1].apply()
    _ = try lab[1].pod("late")
    try learn(lab, family, 1330, size: 1340)
    for _ in 1...2 { #expect(try node.apply() == "nothing to change") }

    // When the kernel forgets what it has learnt, the next apply tries the whole path again.
    try node.sh("ip \(family == .v4 ? "-4" : "-6") route flush cache")
    #expect(try learnt(lab, family) == nil)
    try node.apply()
    #expect(Witness.difference(from: whole, to: try configured(lab)) == [])
  }
}
