import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  private static func nodePort(external: JSONValue) -> JSONObject {
    [
      "type": "NodePort", "ports": .array(ServiceCluster.ports(node: 30_080)),
      "externalTrafficPolicy": external,
    ]
  }

  /// Who may answer whom.
  static let policies = [
    UpstreamCase(
      "Services: should respect internalTrafficPolicy=Local Pod to Pod; Pod (hostNetwork) to Pod"
    ) { cluster in
      let clients = try (1...3).map { try cluster.pod("client-\($0)", on: $0) }
      _ = try cluster.serve(by: [1, 2], ["internalTrafficPolicy": "Local"])
      for way in Way.all {
        for number in 1...2 {
          for someone in [clients[number - 1], cluster[number]] as [any Someone] {
            try cluster.expect(way, from: someone, "web", reaches: ["web-\(number)"])
          }
        }
        for someone in [clients[2], cluster[3]] as [any Someone] {
          #expect(try cluster.ask(way, from: someone, "web", patience: 150) == .silence, "\(way)")
        }
      }
    },
    UpstreamCase(
      "Services: should respect internalTrafficPolicy=Local Pod and Node, to Pod (hostNetwork)",
      .masquerading
    ) { cluster in
      let clients = try (1...2).map { try cluster.pod("client-\($0)", on: $0) }
      let hosts = try (1...2).map { try cluster.host($0) }
      let members = try (1...2).map { number in
        ServiceCluster.Member(
          addresses: try IPFamily.allCases.map { try cluster.address(ofNode: number, $0) },
          node: number)
      }
      for policy in ["Local", "Cluster"] {
        try cluster.define("web", ["selector": .null, "internalTrafficPolicy": .string(policy)])
        try cluster.publish("web", members)
        for way in Way.all {
          for number in 1...2 {
            for someone in [clients[number - 1], cluster[number]] as [any Someone] {
              try cluster.expect(
                way, from: someone, "web",
                reaches: policy == "Local" ? ["host-\(number)"] : ["host-1", "host-2"])
            }
          }
        }
      }
      withExtendedLifetime(hosts) {}
    },
    UpstreamCase(
      "Services: should fallback to terminating endpoints when there are no ready endpoints with "
        + "internalTrafficPolicy=Cluster and =Local"
    ) { cluster in
      let clients = try (1...2).map { try cluster.pod("client-\($0)", on: $0) }
      let pods = try (1...2).map { try cluster.pod("pod-\($0)", on: $0) }
      for isLocal in [false, true] {
        try cluster.define(
          "web",
          ["selector": .null, "internalTrafficPolicy": isLocal ? "Local" : "Cluster"])
        // All end: they are asked.
        try cluster.publish("web", pods.map { .pod($0, .terminating) })
        for way in Way.all {
          for client in clients {
            let own = "pod-\(client.node.number)"
            try cluster.expect(
              way, from: client, "web", reaches: isLocal ? [own] : ["pod-1", "pod-2"])
          }
        }
        // One is ready: it alone, but where only a node's own count.
        try cluster.publish("web", [.pod(pods[0], .terminating), .pod(pods[1])])
        for way in Way.all {
          try cluster.expect(
            way, from: clients[0], "web", reaches: isLocal ? ["pod-1"] : ["pod-2"])
          try cluster.expect(way, from: clients[1], "web", reaches: ["pod-2"])
        }
      }
    },
    UpstreamCase(
      "Services: should fallback to terminating endpoints when there are no ready endpoints with "
        + "externalTrafficPolicy=Cluster and =Local"
    ) { cluster in
      let pods = try (1...2).map { try cluster.pod("pod-\($0)", on: $0) }
      for policy in ["Cluster", "Local"] {
        var keys = nodePort(external: .string(policy))
        keys["selector"] = .null
        try cluster.define("web", keys)
        try cluster.publish("web", pods.map { .pod($0, .terminating) })
        for way in Way.all {
          for node in 1...2 {
            try cluster.expect(
              way, from: cluster.outside, try cluster.address(ofNode: node, way.family), 30_080,
              reaches: policy == "Local" ? ["pod-\(node)"] : ["pod-1", "pod-2"])
          }
        }
        try cluster.publish("web", [.pod(pods[0], .terminating), .pod(pods[1])])
        for way in Way.all {
          for node in 1...2 {
            try cluster.expect(
              way, from: cluster.outside, try cluster.address(ofNode: node, way.family), 30_080,
              reaches: policy == "Local" ? ["pod-\(node)"] : ["pod-2"])
          }
        }
      }
    },
    UpstreamCase(
      "LoadBalancers ExternalTrafficPolicy Local: should only target nodes with endpoints; should "
        + "work from pods; client address kept"
    ) { cluster in
      let clients = try (1...3).map { try cluster.pod("client-\($0)", on: $0) }
      let names = Set(
        try cluster.serve(by: [1, 2, 2], nodePort(external: "Local")).map(\.name))
      for way in Way.all {
        for (node, here) in [(1, ["web-1"]), (2, ["web-2", "web-3"])] {
          try cluster.expect(
            way, from: cluster.outside, try cluster.address(ofNode: node, way.family), 30_080,
            reaches: Set(here), as: cluster.outside.address(way.family))
        }
        let nobody = try cluster.address(ofNode: 3, way.family)
        #expect(
          try cluster.ask(way, from: cluster.outside, nobody, 30_080, patience: 150) == .silence)
        // Pods and the node itself are led anywhere.
        for someone in [clients[2], cluster[3]] as [any Someone] {
          try cluster.expect(way, from: someone, nobody, 30_080, reaches: names)
        }
      }
    },
    UpstreamCase("LoadBalancers ExternalTrafficPolicy Local: should handle updates") { cluster in
      _ = try cluster.serve(by: [1, 2], nodePort(external: "Local"))
      for policy in ["Local", "Cluster", "Local"] {
        try cluster.define("web", nodePort(external: .string(policy)))
        for way in Way.all {
          try cluster.expect(
            way, from: cluster.outside, try cluster.address(ofNode: 1, way.family), 30_080,
            reaches: policy == "Local" ? ["web-1"] : ["web-1", "web-2"])
          let third = try cluster.address(ofNode: 3, way.family)
          if policy == "Local" {
            #expect(
              try cluster.ask(way, from: cluster.outside, third, 30_080, patience: 150) == .silence)
          } else {
            try cluster.expect(
              way, from: cluster.outside, third, 30_080, reaches: ["web-1", "web-2"])
          }
        }
      }
    },
  ]
}
