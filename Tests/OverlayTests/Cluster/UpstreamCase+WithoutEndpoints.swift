import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  /// Services with nobody behind them.
  static let withoutEndpoints = [
    UpstreamCase("Services: should be rejected when no endpoints exist") { cluster in
      let client = try cluster.pod("client", on: 1)
      try cluster.define(
        "web", ["type": "NodePort", "ports": .array(ServiceCluster.ports(node: 30_080))])
      for way in Way.all {
        for someone in [client, cluster[1], cluster[2]] as [any Someone] {
          #expect(try cluster.ask(way, from: someone, "web") == .refused, "\(way)")
          #expect(
            try cluster.ask(
              way, from: someone, try cluster.address(ofNode: 1, way.family), 30_080) == .refused,
            "\(way)")
        }
      }
    },
    UpstreamCase("Services: should be rejected for evicted pods (no endpoints exist)") { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [2])
      for way in Way.all { try cluster.expect(way, from: client, "web", reaches: ["web-1"]) }
      try cluster.publish("web", [])
      try cluster.delete(pods[0])
      for way in Way.all {
        for someone in [client, cluster[1], cluster[2]] as [any Someone] {
          #expect(try cluster.ask(way, from: someone, "web") == .refused, "\(way)")
        }
      }
    },
  ]
}
