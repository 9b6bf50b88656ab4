import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  /// Clients that come back to the pod they had.
  static let affinity = [
    UpstreamCase("Services: should have session affinity work for service with type clusterIP") {
      cluster in
      try stay(on: cluster, switching: false, at: nil)
    },
    UpstreamCase("Services: should be able to switch session affinity for type clusterIP") {
      cluster in
      try stay(on: cluster, switching: true, at: nil)
    },
    UpstreamCase("Services: should have session affinity work for NodePort service") { cluster in
      try stay(on: cluster, switching: false, at: 30_080)
    },
    UpstreamCase("Services: should be able to switch session affinity for NodePort service") {
      cluster in
      try stay(on: cluster, switching: true, at: 30_080)
    },
    UpstreamCase("Granular Checks: Services: client-IP based session affinity, http and udp") {
      cluster in
      // All ports of a client, and each client by itself.
      let clients = try (1...3).map { try cluster.pod("client-\($0)", on: $0) }
      _ = try cluster.serve(by: [1, 2, 3], ["sessionAffinity": "ClientIP"])
      for way in Way.all {
        for client in clients {
          let names = try (0..<12).map { _ in try cluster.ask(way, from: client, "web").name }
          #expect(Set(names).count == 1 && names[0] != nil, "\(way): \(names)")
        }
      }
    },
  ]

  /// Fifteen requests of one client are answered by one, as upstream counts them; without affinity
  /// by several.
  private static func stay(
    on cluster: ServiceCluster, switching: Bool, at nodePort: UInt16?
  ) throws {
    let client = try cluster.pod("client", on: 1)
    var keys: JSONObject = ["sessionAffinity": "ClientIP"]
    if let nodePort {
      keys["type"] = "NodePort"
      keys["ports"] = .array(ServiceCluster.ports(node: nodePort))
    }
    let pods = try cluster.serve(by: [1, 2, 3], keys)
    func ask(_ way: Way) throws -> Set<String?> {
      let address =
        nodePort == nil
        ? try ServiceCluster.address("web", way.family) : try cluster.address(ofNode: 1, way.family)
      return Set(
        try (0..<15).map { _ in
          try cluster.ask(way, from: client, address, nodePort ?? ServiceCluster.port).name
        })
    }
    for way in Way.all {
      let names = try ask(way)
      #expect(names.count == 1 && !names.contains(nil), "\(way): \(names)")
    }
    guard switching else { return }
    keys["sessionAffinity"] = "None"
    try cluster.define("web", keys)
    for way in Way.all {
      // Fifteen to the same of three by chance: once in five million.
      let names = try ask(way)
      #expect(names.count > 1 && names.isSubset(of: pods.map(\.name)), "\(way): \(names)")
    }
    keys["sessionAffinity"] = "ClientIP"
    try cluster.define("web", keys)
    for way in Way.all {
      let names = try ask(way)
      #expect(names.count == 1 && !names.contains(nil), "\(way): \(names)")
    }
  }
}
