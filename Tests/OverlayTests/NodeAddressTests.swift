import Addressing
import JSON
import TestSupport
import Testing
import Witness

/// The Kubernetes model asks that pods reach the agents of nodes, and these the pods.
@Suite("A pod reaches the addresses of all nodes", .needsRoot)
struct NodeAddressTests {
  /// A way to build the network, and who pods are to other nodes.
  struct Shape: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var below = ClusterLab.Below.routed
    var apart: Set<Int> = []
    var families = IPFamily.allCases
    var settings: JSONObject
    /// Nodes that are reached straight see the address of the pod's node.
    var isHidden = false
  }

  static let shapes = [
    Shape(testDescription: "by vxlan", settings: [:]),
    Shape(testDescription: "by vxlan, masquerading", settings: ["masquerade": true]),
    Shape(testDescription: "by vxlan over IPv4 alone", families: [.v4], settings: [:]),
    Shape(
      testDescription: "by vxlan over IPv6 alone, masquerading", families: [.v6],
      settings: ["masquerade": true]),
    Shape(
      testDescription: "by vxlan with direct routes, one node behind a router", below: .switched,
      apart: [3], settings: ["directRouting": true]),
    Shape(
      testDescription: "by vxlan with direct routes, one node behind a router, masquerading",
      below: .switched, apart: [3], settings: ["directRouting": true, "masquerade": true],
      isHidden: true),
    Shape(testDescription: "by host-gw", below: .switched, settings: ["backend": "host-gw"]),
    Shape(
      testDescription: "by host-gw, masquerading", below: .switched,
      settings: ["backend": "host-gw", "masquerade": true], isHidden: true),
  ]

  @Test(
    "as itself, but where it is hidden on a link, whoever binds to any address there too",
    arguments: shapes)
  func reaches(shape: Shape) throws {
    let lab = try ClusterLab(
      3, shape.below, apart: shape.apart, families: shape.families, settings: shape.settings)
    try lab.apply()
    let pods = try lab.pods()
    // To a pod of its own the kernel answers by a wildcard UDP socket from the bridge's address.
    let near: UInt16 = 8081
    let answerers = try lab.nodes.flatMap { node in
      [
        try Answerer(
          node.name, in: node.namespace, at: try ["0.0.0.0", "::"].map { try IPAddress($0) }),
        try Answerer(
          node.name, in: node.namespace,
          at: try shape.families.map { try IPAddress(node.underlay($0)) }, port: near),
      ]
    }
    for (home, pod) in zip(lab.nodes, pods) {
      for node in lab.nodes {
        let isHidden =
          shape.isHidden && node !== home
          && shape.apart.isDisjoint(with: [node.number, home.number])
        for way in Way.all where shape.families.contains(way.family) {
          let source = isHidden ? home.underlay(way.family) : try pod.address(way.family)
          let answer = try Traffic.persist {
            let caller = try Caller(
              way, from: pod, to: try IPAddress(node.underlay(way.family)),
              node === home ? near : Answerer.port)
            let answer = try caller.speak(bytes: way.transport == .tcp ? 30_000 : 3000)
            return answer == .silence ? nil : answer
          }
          #expect(
            answer == .heard(by: node.name, from: source),
            "\(way) from \(pod.name) to \(node.name)")
        }
      }
    }
    try lab.expectAllPairs(pods)
    for node in lab.nodes { #expect(try node.apply() == "nothing to change") }
    withExtendedLifetime(answerers) {}
  }

  @Test(
    "and is reached by all nodes, in a tunnel from their own addresses", arguments: [true, false])
  func isReached(masquerades: Bool) throws {
    let lab = try ClusterLab(2, settings: ["masquerade": .bool(masquerades)])
    try lab.apply()
    let pod = try lab[1].pod("one")
    let answerer = try Answerer(
      "pod", in: pod.namespace, at: try ["0.0.0.0", "::"].map { try IPAddress($0) })
    for way in Way.all {
      let caller = try Caller(
        way, from: lab[2], to: try IPAddress(try pod.address(way.family)), Answerer.port)
      #expect(
        try caller.speak(bytes: 3000) == .heard(by: "pod", from: lab[2].underlay(way.family)),
        "\(way)")
    }
    withExtendedLifetime(answerer) {}
  }

  /// The routes to peers' own addresses.
  private func ways(_ node: LabNode) throws -> Set<String> {
    try node.run { Set(try Witness.routes().filter { $0.table == 195 }.map(\.destination)) }
  }

  private func rules(_ node: LabNode) throws -> [SeenRule] {
    try node.run { try Witness.rules().filter { $0.table == 195 } }
  }

  @Test("also when a peer moves, and no more when it goes; what others have made there stays")
  func follows() throws {
    let lab = try ClusterLab(2)
    let node = lab[1]
    try node.sh(
      """
      ip route add 192.0.2.1 dev eth0 table 195 proto static
      ip rule add from 10.5.1.0/24 to 192.0.2.1 lookup 195 pref 300
      """)
    let foreign = try node.snapshot().filter { $0.hasPrefix("rule") || $0.contains("table 195") }
    try lab.apply()
    #expect(try ways(node) == ["172.16.2.2/32", "fd00:100:2::2/128", "192.0.2.1/32"])
    let ours = try rules(node).filter { $0.origin == 195 }
    #expect(Set(ours.compactMap(\.source)) == ["10.5.1.0/24", "fd00:5:1::/64"])
    #expect(ours.count == 2)
    var file = lab[2].peerFile
    file["underlay"] = ["172.16.2.9", "fd00:100:2::9"]
    try node.write(peer: lab[2].name, file)
    try node.apply()
    #expect(try ways(node) == ["172.16.2.9/32", "fd00:100:2::9/128", "192.0.2.1/32"])
    try node.remove(peer: lab[2].name)
    try node.apply()
    #expect(try ways(node) == ["192.0.2.1/32"])
    #expect(try rules(node).map(\.priority) == [300])
    try node.write(peer: lab[2].name, lab[2].peerFile)
    try node.apply()
    try node.cnictl("leave")
    let left = try node.snapshot().filter { $0.hasPrefix("rule") || $0.contains("table 195") }
    #expect(left == foreign)
  }
}
