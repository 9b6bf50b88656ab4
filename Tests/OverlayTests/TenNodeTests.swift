import Addressing
import JSON
import TestSupport
import Testing
import Witness

@Suite("Ten nodes", .needsRoot)
struct TenNodeTests {
  @Test(
    "join their pods, go on when one leaves, and are whole when it returns",
    arguments: Crossing.allCases)
  func joins(by crossing: Crossing) throws {
    let lab =
      switch crossing {
      case .vxlan: try ClusterLab(10)
      case .hostGateway: try ClusterLab(10, .switched, settings: ["backend": "host-gw"])
      }
    try lab.apply()
    let pods = try lab.pods()
    try lab.expectAllPairs(pods)
    let whole = try lab.nodes.map { try $0.snapshot() }

    let gone = lab[10]
    let others = Array(lab.nodes.dropLast())
    try gone.cnictl("leave")
    for node in others {
      try node.remove(peer: gone.name)
      #expect(try node.apply().contains("delete route 10.5.10.0/24"))
      #expect(try !node.snapshot().contains { $0.contains(gone.subnets[0]) })
    }
    try lab.expectAllPairs(Array(pods.dropLast()))
    for family in IPFamily.allCases {
      let lost = try pods[9].address(family)
      let kept = try pods[0].address(family)
      #expect(try !Traffic.pings(lost, from: pods[0].namespace, patience: "0.5"))
      #expect(try !Traffic.pings(kept, from: pods[9].namespace, patience: "0.5"))
    }

    for node in others { try node.write(peer: gone.name, gone.peerFile) }
    try lab.apply()
    for (node, before) in zip(lab.nodes, whole) {
      #expect(Witness.difference(from: before, to: try node.snapshot()) == [])
    }
    try lab.expectAllPairs(pods)
  }

  @Test("with host-gw pass over the one that is behind a router, say so, and have a remedy")
  func apart() throws {
    let lab = try ClusterLab(4, .switched, apart: [4], settings: ["backend": "host-gw"])
    func reason(_ peer: LabNode, _ family: IPFamily) -> String {
      "\(peer.name): its address \(peer.underlay(family)) is behind a router, and host-gw needs "
        + "it on the same link; use the backend vxlan"
    }
    for node in lab.nodes {
      // Those that it cannot have: the one apart, or all if it is that one.
      let unreachable = lab.nodes.filter { ($0.number == 4) != (node.number == 4) }
      let error = #expect(throws: (any Error).self) { try node.apply() }
      let text = error.map { "\($0)" } ?? ""
      for peer in unreachable {
        for family in IPFamily.allCases {
          #expect(text.contains(reason(peer, family)), "\(text)")
        }
        let routes = try node.run { try Witness.routes() }
        #expect(!routes.contains { peer.subnets.contains($0.destination) })
      }
      #expect(text.split(separator: "\n").count == 2 * unreachable.count)
      #expect(try node.cnictl("show").contains(reason(unreachable[0], .v4)))
    }
    let pods = try lab.pods()
    try lab.expectAllPairs(Array(pods.dropLast()))
    #expect(
      try !Traffic.pings(try pods[3].address(.v4), from: pods[0].namespace, patience: "0.5"))

    for node in lab.nodes {
      try node.write(["backend": "vxlan", "directRouting": true], peers: [])
    }
    try lab.apply()
    let through = try lab[1].run { try Witness.routes() }.filter { $0.origin == 195 }
    #expect(through.first { $0.destination == "10.5.2.0/24" }?.gateway == "172.16.0.2")
    #expect(through.first { $0.destination == "10.5.4.0/24" }?.gateway == "10.5.4.0")
    let late = try lab.nodes.map { try $0.pod("two") }
    try lab.expectAllPairs(late)
  }
}
