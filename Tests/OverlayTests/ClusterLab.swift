import Addressing
import JSON
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing

/// Nodes in namespaces, joined by a network below, with pods made by our plugins.
///
/// Node 1 has the addresses 172.16.1.2 and fd00:100:1::2 and the pod subnets 10.5.1.0/24 and
/// fd00:5:1::/64, and so on.
final class ClusterLab: Sendable {
  /// How nodes reach each other below.
  enum Below: Sendable {
    /// Each on a link of its own, with a router between.
    case routed
    /// All on one link.
    case switched
  }

  let middle: FreshNamespace
  let below: Below
  let nodes: [LabNode]

  /// Makes it.
  ///
  /// - Parameters:
  ///   - count: of nodes.
  ///   - below: how they reach each other.
  ///   - apart: nodes that are behind a router though the others are on one link, whose router it is too.
  ///   - families: of the network below.
  ///   - settings: what the nodes are told besides.
  /// - Throws: what of it the kernel refuses.
  init(
    _ count: Int, _ below: Below = .routed, apart: Set<Int> = [],
    families: [IPFamily] = IPFamily.allCases, settings: JSONObject = [:]
  ) throws {
    let switchboard = try FreshNamespace()
    var nodes: [LabNode] = []
    for number in 1...count {
      let place = apart.contains(number) ? .routed : below
      nodes.append(try LabNode(number, on: switchboard, place, families))
    }
    if !apart.isEmpty {
      let router = [IPFamily.v4: "172.16.0.254/24", .v6: "fd00:100::fe/64"]
      try switchboard.run {
        let socket = try RouteSocket()
        for family in families {
          try LabNode.give(try InterfaceName("switch"), try #require(router[family]), socket)
        }
      }
      for node in nodes where !apart.contains(node.number) {
        for family in families {
          try node.sh("ip route add default via \(router[family]?.split(separator: "/")[0] ?? "")")
        }
      }
    }
    try switchboard.run {
      try Sysctl.write(["net", "ipv4", "ip_forward"], "1")
      try Sysctl.write(["net", "ipv6", "conf", "all", "forwarding"], "1")
    }
    for node in nodes { try node.write(settings, peers: nodes) }
    self.below = below
    self.nodes = nodes
    middle = switchboard
  }

  subscript(number: Int) -> LabNode { nodes[number - 1] }

  /// Applies on all nodes.
  func apply() throws { for node in nodes { try node.apply() } }

  /// Runs a line on the router or switch.
  func sh(_ line: String) throws { try middle.run { () throws in _ = try Shell.run(line) } }

  /// A pod on each node.
  func pods() throws -> [LabPod] { try nodes.map { try $0.pod("one") } }

  /// Expects each pair of pods to hear each other, by both transports and families, and each as who it
  /// is.
  func expectAllPairs(
    _ pods: [LabPod], families: [IPFamily] = IPFamily.allCases,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for speaker in pods {
      for listener in pods where listener !== speaker {
        for family in families {
          for transport in Traffic.Transport.allCases {
            let heard = try Traffic.exchange(
              transport, from: speaker.namespace, to: listener.namespace,
              at: try listener.address(family), size: 3000)
            #expect(
              heard == (try speaker.address(family)),
              "\(transport) \(family) from \(speaker.name) to \(listener.name)",
              sourceLocation: sourceLocation)
          }
        }
      }
    }
  }
}
