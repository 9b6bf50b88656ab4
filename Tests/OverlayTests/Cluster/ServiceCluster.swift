import Addressing
import ArgumentParser
import JSON
import Linux
import Netlink
import RouteNetlink
import Synchronization
import TestSupport
import Testing

@testable import OperatorCommands

/// How packets get from node to node.
enum Crossing: CaseIterable, Sendable, CustomTestStringConvertible {
  /// Nodes behind a router, pods in tunnels.
  case vxlan
  /// Nodes on one link, pods routed.
  case hostGateway

  var testDescription: String {
    switch self {
    case .vxlan: "vxlan"
    case .hostGateway: "host-gw"
    }
  }
}

/// Nodes in one flat network that have the same services, and somebody outside.
///
/// Pods are added by the plugins `bridge` and `service`, on a node that `cnictl node apply` and
/// `cnictl service apply` have set up; of pods elsewhere nodes know by endpoint slices. Outside has
/// ways to the nodes, and by the first node to 203.0.113.0/24 and 2001:db8:2::/64.
final class ServiceCluster: Sendable {
  let lab: ClusterLab
  let crossing: Crossing
  let outside: Stranger
  /// Those that were added and not deleted, so that they go on answering.
  let pods = Mutex<[ClusterPod]>([])

  init(_ crossing: Crossing, nodes count: Int = 3, settings: JSONObject = [:]) throws {
    var settings = settings
    if crossing == .hostGateway { settings["backend"] = "host-gw" }
    let lab = try ClusterLab(
      count, crossing == .vxlan ? .routed : .switched, settings: settings)
    self.lab = lab
    self.crossing = crossing
    outside = try Stranger(lab, crossing)
    for node in lab.nodes {
      try node.directory.write(
        "etc/services.json",
        """
        {"nodeName": "\(node.name)", "serviceRanges": ["10.96.0.0/16", "fd00:96::/112"],
         "externalAddresses": ["203.0.113.0/24"],
         "loadBalancerPool": ["203.0.113.128/25", "2001:db8:2::/64"], "loadBalancerUplink": "none"}
        """)
      // Refusals are counted here, not limited.
      try node.run {
        try Sysctl.write(["net", "ipv4", "icmp_ratelimit"], "0")
        try Sysctl.write(["net", "ipv6", "icmp", "ratelimit"], "0")
      }
    }
    try lab.apply()
    try applyServices()
  }

  subscript(number: Int) -> LabNode { lab[number] }

  var nodes: [LabNode] { lab.nodes }

  /// A node's own address.
  func address(ofNode number: Int, _ family: IPFamily) throws -> IPAddress {
    try IPAddress(lab[number].underlay(family))
  }

  /// Runs `cnictl service …` on a node, and gives what it prints.
  @discardableResult
  func cnictl(_ node: LabNode, _ words: String...) throws -> String {
    let parsed = try OperatorTool.parseAsRoot(
      ["service"] + words + [
        "--services-dir", node.directory.path("etc/services.d"),
        "--settings-file", node.directory.path("etc/services.json"),
        "--run-dir", node.directory.path("run"),
        "--service-state-dir", node.directory.path("state/services"),
      ])
    let verb = try #require(parsed as? any Verb)
    let said = Mutex("")
    try node.run {
      try verb.perform(
        in: Surroundings(
          environment: Environment([:]), workingDirectory: "/",
          print: { text throws(SystemError) in said.withLock { $0 += text + "\n" } },
          warn: { text in said.withLock { $0 += "warning: \(text)\n" } }))
    }
    return said.withLock { $0 }
  }

  /// Makes all nodes agree with their definitions.
  func applyServices() throws { for node in nodes { try cnictl(node, "apply") } }
}

/// Somebody who is of no node.
final class Stranger: Someone {
  let namespace: FreshNamespace
  private let crossing: Crossing

  init(_ lab: ClusterLab, _ crossing: Crossing) throws {
    let own = try FreshNamespace()
    let path = own.path
    try lab.middle.run { () throws in
      try RouteSocket().createLink(
        NewLink(
          try InterfaceName("outside"),
          .veth(peer: VethPeer(name: try InterfaceName("eth0"), bornIn: own.namespace)),
          flags: .up))
      _ = path
    }
    switch crossing {
    case .vxlan:
      try lab.sh(
        """
        ip addr add 192.0.2.1/24 dev outside; ip addr add 2001:db8::1/64 dev outside nodad
        ip route add 203.0.113.0/24 via 172.16.1.2
        ip route add 2001:db8:2::/64 via fd00:100:1::2
        """)
    case .hostGateway: try lab.sh("ip link set outside master switch")
    }
    try own.run { () throws in
      let lines =
        switch crossing {
        case .vxlan:
          """
          ip addr add 192.0.2.2/24 dev eth0; ip addr add 2001:db8::2/64 dev eth0 nodad
          ip route add default via 192.0.2.1; ip route add default via 2001:db8::1
          """
        case .hostGateway:
          """
          ip addr add 172.16.0.200/24 dev eth0; ip addr add fd00:100::200/64 dev eth0 nodad
          ip route add 203.0.113.0/24 via 172.16.0.1
          ip route add 2001:db8:2::/64 via fd00:100::1
          """
        }
      try Shell.run("ip link set eth0 up; \(lines)")
    }
    namespace = own
    self.crossing = crossing
  }

  func address(_ family: IPFamily) -> String {
    switch (crossing, family) {
    case (.vxlan, .v4): "192.0.2.2"
    case (.vxlan, .v6): "2001:db8::2"
    case (.hostGateway, .v4): "172.16.0.200"
    case (.hostGateway, .v6): "fd00:100::200"
    }
  }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }
}
