import Addressing
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The flat network", .needsRoot)
struct FlatNetworkTests {
  /// A way to build it.
  struct Shape: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var below = ClusterLab.Below.routed
    var families = IPFamily.allCases
    var settings: JSONObject = [:]
    /// What a pod's link must carry.
    var mtu: UInt32
    /// How the route to another node's pods must look, by family.
    var hops: [String]
  }

  static let shapes = [
    Shape(
      testDescription: "vxlan over both families", mtu: 1430,
      hops: ["10.5.2.0 flannel.1", "fd00:5:2:: flannel-v6.1"]),
    Shape(
      testDescription: "vxlan over IPv4 alone", families: [.v4], mtu: 1450,
      hops: ["10.5.2.0 flannel.1", "fd00:5:2:: flannel.1"]),
    Shape(
      testDescription: "vxlan over IPv6 alone", families: [.v6], mtu: 1430,
      hops: ["10.5.2.0 flannel-v6.1", "fd00:5:2:: flannel-v6.1"]),
    Shape(
      testDescription: "vxlan with direct routes, on one link", below: .switched,
      settings: ["directRouting": true], mtu: 1430,
      hops: ["172.16.0.2 eth0", "fd00:100::2 eth0"]),
    Shape(
      testDescription: "vxlan with direct routes, behind a router",
      settings: ["directRouting": true, "vni": 7, "port": 4789], mtu: 1430,
      hops: ["10.5.2.0 flannel.7", "fd00:5:2:: flannel-v6.7"]),
    Shape(
      testDescription: "host-gw", below: .switched, settings: ["backend": "host-gw"], mtu: 1500,
      hops: ["172.16.0.2 eth0", "fd00:100::2 eth0"]),
    Shape(
      testDescription: "host-gw over IPv6 alone", below: .switched, families: [.v6],
      settings: ["backend": "host-gw"], mtu: 1500,
      hops: ["fd00:100::2 eth0", "fd00:100::2 eth0"]),
  ]

  @Test(
    "joins pods of three nodes without NAT, and doing it again changes nothing", arguments: shapes)
  func joins(shape: Shape) throws {
    let lab = try ClusterLab(3, shape.below, families: shape.families, settings: shape.settings)
    try lab.apply()
    let pods = try lab.pods()
    try lab.expectAllPairs(pods)

    let node = lab[1]
    let seen = try node.run { () -> [String] in
      let names = Dictionary(uniqueKeysWithValues: try Witness.links().map { ($0.index, $0.name) })
      return try Witness.routes().filter {
        $0.origin == 195 && $0.destination.contains(":2::/64")
          || $0.origin == 195 && $0.destination == "10.5.2.0/24"
      }.map { "\($0.gateway ?? "-") \($0.linkIndex.flatMap { names[$0] } ?? "-")" }
    }
    #expect(seen.sorted() == shape.hops.sorted())
    #expect(try pods[0].run { try Witness.link(named: "eth0")?.mtu } == shape.mtu)

    // The longest packet gets through whole, and no longer one leaves the pod.
    let size = Int(shape.mtu) - 28
    let far = try pods[1].address(.v4)
    let whole = "ping -n -c1 -i0.3 -w60 -M do -s"  // Asks until one is answered.
    #expect(try pods[0].run { try Shell.succeeds("\(whole) \(size) \(far)") })
    #expect(
      try pods[0].run { try !Shell.succeeds("ping -n -c1 -W1 -M do -s \(size + 1) \(far)") })
    let far6 = try pods[1].address(.v6)
    #expect(try pods[0].run { try Shell.succeeds("\(whole) \(size - 20) \(far6)") })

    // Nodes reach pods of other nodes as well.
    for address in [far, far6] {
      #expect(try node.run { try Shell.succeeds("ping -n -c1 -i0.3 -w60 \(address)") })
    }

    let before = try lab.nodes.map { try $0.snapshot() }
    for node in lab.nodes { #expect(try node.apply() == "nothing to change") }
    #expect(try lab.nodes.map { try $0.snapshot() } == before)
    #expect(try node.cnictl("show").contains("all is as it should be"))
  }

  @Test("goes with leave, but for what others have made")
  func leaves() throws {
    let lab = try ClusterLab(2)
    let node = lab[1]
    try node.sh("ip route add 198.51.100.0/24 dev eth0; nft add table inet foreign")
    let before = try node.snapshot()
    let forwarding = try node.run { try Sysctl.read(["net", "ipv4", "ip_forward"]) }
    try node.apply()
    #expect(try node.snapshot() != before)
    try node.cnictl("leave")
    let left = Witness.difference(from: before, to: try node.snapshot())
    // Ours for pods stays, empty, as after the last pod.
    #expect(left.allSatisfy { $0.contains("swift_cni") && !$0.contains("overlay") }, "\(left)")
    #expect(forwarding == "0")
    #expect(try File.status(of: node.directory.path("run/subnet.json")) == nil)
    #expect(try node.cnictl("leave") == "nothing to change")
  }

  @Test("follows the path: an MTU that shrinks below is found and published")
  func followsMTU() throws {
    let lab = try ClusterLab(2, families: [.v4])
    try lab.apply()
    #expect(try lab[1].directory.text("run/subnet.env")?.contains("FLANNEL_MTU=1450\n") == true)
    // A router on the way has said that no more gets through to node 2.
    try lab[1].sh("ip route add 172.16.2.0/24 via 172.16.1.1 mtu 1400")
    try lab[1].apply()
    #expect(try lab[1].run { try Witness.link(named: "flannel.1")?.mtu } == 1350)
    #expect(try lab[1].directory.text("run/subnet.env")?.contains("FLANNEL_MTU=1350\n") == true)
    let pod = try lab[1].pod("late")
    #expect(try pod.run { try Witness.link(named: "eth0")?.mtu } == 1350)
    // And by its own link.
    try lab[2].sh("ip link set eth0 mtu 1340")
    try lab[2].apply()
    #expect(try lab[2].run { try Witness.link(named: "flannel.1")?.mtu } == 1290)
  }

  @Test("gets packets through, if in fragments, where a router says that hardly anything fits")
  func fragments() throws {
    let lab = try ClusterLab(2, families: [.v4])
    try lab[1].sh("ip link set eth0 mtu 1000")
    try lab.sh("ip link set node1 mtu 1000")
    #expect(throws: (any Error).self) { try lab[1].apply() }
    try lab[2].apply()
    let pods = try lab.pods()
    #expect(try pods[0].run { try Witness.link(named: "eth0")?.mtu } == 1280)
    for family in IPFamily.allCases {
      let far = try pods[1].address(family)
      #expect(try Traffic.pings(far, from: pods[0].namespace, size: 3000))
      let heard = try Traffic.exchange(
        .tcp, from: pods[0].namespace, to: pods[1].namespace, at: far, size: 100_000)
      #expect(heard == (try pods[0].address(family)))
    }
  }

  @Test("lets a node that begins to forward go on hearing routers", arguments: ["0", "1", "2"])
  func hearsRouters(before: String) throws {
    let lab = try ClusterLab(1)
    let setting = ["net", "ipv6", "conf", "eth0", "accept_ra"]
    try lab[1].run { try Sysctl.write(setting, before) }
    try lab[1].apply()
    #expect(try lab[1].run { try Sysctl.read(setting) } == (before == "0" ? "0" : "2"))
  }

  @Test("follows a node to another address")
  func followsAddress() throws {
    let lab = try ClusterLab(2, settings: ["underlay": nil, "interface": "eth0"])
    try lab.apply()
    let pods = try lab.pods()
    try lab[2].sh(
      """
      ip addr del 172.16.2.2/24 dev eth0; ip addr add 172.16.2.9/24 dev eth0
      ip route replace default via 172.16.2.1
      """)
    try lab[2].apply()
    var file = lab[2].peerFile
    file["underlay"] = ["172.16.2.9", "fd00:100:2::2"]
    try lab[1].write(peer: "node-2", file)
    try lab[1].apply()
    try lab.expectAllPairs(pods)
    #expect(
      try lab[1].run { try Witness.forwardings().map(\.remote).sorted() }
        == ["172.16.2.9", "fd00:100:2::2"])
  }

  @Test("forgets a peer that is gone, and keeps what others have made beside it")
  func forgetsPeer() throws {
    let lab = try ClusterLab(3)
    try lab.apply()
    let pods = try lab.pods()
    let node = lab[1]
    try node.remove(peer: "node-3")
    try node.apply()
    let without = try node.snapshot()
    try node.write(peer: "node-3", lab[3].peerFile)
    try node.apply()
    try node.sh(
      """
      ip route add 10.99.0.0/16 via 10.5.2.0 dev flannel.1 onlink proto static
      ip neigh add 10.5.77.0 lladdr 02:00:00:00:00:77 dev flannel.1 nud permanent
      bridge fdb add 02:00:00:00:00:77 dst 172.16.77.2 dev flannel.1 self permanent
      """)
    try node.remove(peer: "node-3")
    let said = try node.apply()
    #expect(said.contains("delete route 10.5.3.0/24"), "\(said)")
    let kept = Witness.difference(from: without, to: try node.snapshot())
    #expect(kept.count == 3, "\(kept)")
    #expect(
      kept.allSatisfy { $0.hasPrefix("+ ") && ($0.contains("77") || $0.contains("10.99.0.0")) })
    try lab.expectAllPairs(Array(pods[0...1]))
    #expect(try !Traffic.pings(try pods[2].address(.v4), from: pods[0].namespace, patience: "0.5"))
  }

  @Test("refuses a bad file and applies the others, and tells all of it as JSON too")
  func refusesOneByOne() throws {
    let lab = try ClusterLab(3)
    try lab[1].write(peer: "node-3", ["name": "node-3", "underlay": ["172.16.3.2"], "subnets": 7])
    let error = #expect(throws: (any Error).self) { try lab[1].cnictl("apply", "--json") }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasSuffix("peers.d/node-3.json: subnets: expected a list, found number 7"))
    let report = try JSONParser.parse(lab[1].output).objectValue
    #expect(report?["peers"] == 1)
    #expect(report?["problems"]?.listValue?.count == 1)
    for node in [lab[2], lab[3]] { try node.apply() }
    try lab.expectAllPairs([try lab[1].pod("one"), try lab[2].pod("one")])

    let shown = try JSONParser.parse(try lab[1].cnictl("show", "--json")).objectValue
    #expect(shown?["peers"]?.listValue?.count == 2)
    #expect(shown?["pending"] == [])
    #expect(shown?["problems"]?.listValue?.count == 1)
    #expect(shown?["tunnels"] == ["flannel.1", "flannel-v6.1"])
  }

  @Test("changes nothing when the node's own file is missing, bad, or speaks of another host")
  func refusesWhole() throws {
    let lab = try ClusterLab(2)
    let node = lab[1]
    try node.apply()
    let before = try node.snapshot()
    let file = try #require(try node.directory.text("etc/node.json"))
    for (text, message) in [
      ("{", "node.json"),
      (file.replacing("172.16.1.2", with: "172.16.9.9"), "no address of this host"),
      (file.replacing("node-1", with: ""), "name"),
    ] {
      try node.directory.write("etc/node.json", text)
      let error = #expect(throws: (any Error).self) { try node.apply() }
      #expect("\(error.map { "\($0)" } ?? "")".contains(message))
    }
    try File.remove(node.directory.path("etc/node.json"))
    let error = #expect(throws: (any Error).self) { try node.apply() }
    #expect("\(error.map { "\($0)" } ?? "")".contains("this node is in no flat network"))
    #expect(try node.snapshot() == before)
  }

  @Test("leaves another's tunnel of the same number alone, and says so")
  func refusesTakenNumber() throws {
    let lab = try ClusterLab(1, families: [.v4])
    try lab[1].sh("ip link add theirs type vxlan id 1 dstport 8472 local 172.16.1.2")
    let error = #expect(throws: (any Error).self) { try lab[1].apply() }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("create vxlan link flannel.1: EEXIST"), "\(text)")
    #expect(try lab[1].run { try Witness.link(named: "theirs") } != nil)
  }

  @Test("leaves another's route to a peer's pods alone, and says so")
  func yields() throws {
    let lab = try ClusterLab(2, families: [.v4])
    try lab[1].sh("ip route add 10.5.2.0/24 via 172.16.1.1 proto static")
    let error = #expect(throws: (any Error).self) { try lab[1].apply() }
    #expect("\(error.map { "\($0)" } ?? "")".contains("add route 10.5.2.0/24 via 10.5.2.0"))
    let routes = try lab[1].run { try Witness.routes().filter { $0.destination == "10.5.2.0/24" } }
    #expect(routes.map(\.gateway) == ["172.16.1.1"])
    #expect(try lab[1].run { try Witness.routes() }.contains { $0.destination == "fd00:5:2::/64" })
  }
}
