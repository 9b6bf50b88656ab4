import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  private static func nodePort(_ number: UInt16 = 30_080, _ more: JSONObject = [:]) -> JSONObject {
    var keys: JSONObject = [
      "type": "NodePort", "ports": .array(ServiceCluster.ports(node: number)),
    ]
    for member in more.members { keys[member.key] = member.value }
    return keys
  }

  /// Ports of all nodes' own addresses.
  static let nodePorts = [
    UpstreamCase(
      "Services: should create a functioning NodePort service; Granular Checks: pod-, node- and "
        + "endpoint-Service, http and udp", .masquerading
    ) { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2, 3], nodePort())
      let names = Set(pods.map(\.name))
      for way in Way.all {
        for someone in [client, pods[1], cluster[3], cluster.outside] as [any Someone] {
          for node in 1...3 {
            try cluster.expect(
              way, from: someone, try cluster.address(ofNode: node, way.family), 30_080,
              reaches: names)
          }
        }
        for someone in [client, pods[1], cluster[3]] as [any Someone] {
          try cluster.expect(way, from: someone, "web", reaches: names)
        }
      }
    },
    UpstreamCase("Granular Checks: Services: pods reach NodePorts of other nodes as they are") {
      cluster in
      // Where pods' packets reach other nodes unhidden, and the answer would go another way back.
      guard cluster.crossing == .hostGateway else { return }
      let client = try cluster.pod("client", on: 1)
      _ = try cluster.serve(by: [1, 2, 3], nodePort())
      for policy in ["Cluster", "Local"] {
        try cluster.define("web", nodePort(30_080, ["externalTrafficPolicy": .string(policy)]))
        for way in Way.all {
          for node in 2...3 {
            try cluster.expect(
              way, from: client, try cluster.address(ofNode: node, way.family), 30_080,
              reaches: policy == "Cluster" ? ["web-1", "web-2", "web-3"] : ["web-\(node)"])
          }
        }
      }
    },
    UpstreamCase("Services: NodePort with externalTrafficPolicy Cluster hides who is outside") {
      cluster in
      _ = try cluster.serve(by: [2], nodePort())
      for way in Way.all {
        for node in 1...3 {
          let heard = try cluster.ask(
            way, from: cluster.outside, try cluster.address(ofNode: node, way.family), 30_080)
          #expect(heard.name == "web-1", "\(way) by node \(node)")
          #expect(heard.source != cluster.outside.address(way.family), "\(way) by node \(node)")
        }
      }
    },
    UpstreamCase("Services: should be able to change the type from ClusterIP to NodePort and back")
    {
      cluster in
      let client = try cluster.pod("client", on: 1)
      _ = try cluster.serve(by: [1, 2])
      for isOpen in [false, true, false] {
        try cluster.define("web", isOpen ? nodePort() : [:])
        for way in Way.all {
          try cluster.expect(way, from: client, "web", reaches: ["web-1", "web-2"])
          for node in 1...3 {
            let address = try cluster.address(ofNode: node, way.family)
            if isOpen {
              try cluster.expect(
                way, from: cluster.outside, address, 30_080, reaches: ["web-1", "web-2"])
            } else {
              #expect(
                try cluster.ask(way, from: cluster.outside, address, 30_080) == .refused, "\(way)")
            }
          }
        }
      }
    },
    UpstreamCase("Services: should be able to change the type from and to ExternalName") {
      cluster in
      let client = try cluster.pod("client", on: 1)
      // A name of DNS is nothing that packets meet, and is refused.
      let other: JSONObject = [
        "type": "ExternalName", "externalName": "example.org", "clusterIPs": .null,
        "ipFamilies": .null, "ipFamilyPolicy": .null, "selector": .null, "ports": .null,
      ]
      #expect(throws: (any Error).self) { try cluster.define("web", other) }
      for way in Way.all {
        #expect(try cluster.ask(way, from: client, "web", patience: 150).name == nil)
      }
      _ = try cluster.serve(by: [1, 2], nodePort())
      for way in Way.all {
        try cluster.expect(way, from: client, "web", reaches: ["web-1", "web-2"])
        try cluster.expect(
          way, from: cluster.outside, try cluster.address(ofNode: 3, way.family), 30_080,
          reaches: ["web-1", "web-2"])
      }
      // One that is there stays until it is defined otherwise.
      #expect(throws: (any Error).self) { try cluster.define("web", other) }
      for way in Way.all {
        try cluster.expect(way, from: client, "web", reaches: ["web-1", "web-2"])
      }
    },
    UpstreamCase(
      "Services: should be able to update service type to NodePort listening on same port number "
        + "but different protocols"
    ) { cluster in
      _ = try cluster.serve(
        by: [1, 2], ["ports": .array(ServiceCluster.ports(transports: [.tcp]))])
      try cluster.define("web", nodePort(30_081))
      for way in Way.all {
        for node in 1...3 {
          try cluster.expect(
            way, from: cluster.outside, try cluster.address(ofNode: node, way.family), 30_081,
            reaches: ["web-1", "web-2"])
        }
      }
    },
    UpstreamCase(
      "Services: should prevent NodePort collisions; should check NodePort out-of-range; should "
        + "release NodePorts on delete"
    ) { cluster in
      let names = Set(try cluster.serve("one", by: [1, 2], nodePort()).map(\.name))
      #expect(throws: (any Error).self) { try cluster.define("two", nodePort()) }
      #expect(throws: (any Error).self) { try cluster.define("three", nodePort(29_999)) }
      for file in ["two", "three"] {
        #expect(throws: (any Error).self) { try cluster.cnictl(cluster[1], "show", file) }
      }
      for way in Way.all {
        try cluster.expect(
          way, from: cluster.outside, try cluster.address(ofNode: 3, way.family), 30_080,
          reaches: names)
        #expect(
          try cluster.ask(
            way, from: cluster.outside, try cluster.address(ofNode: 3, way.family), 29_999)
            == .refused)
      }
      for node in cluster.nodes {
        try node.sh("rm \(node.directory.path("etc/services.d/three.json"))")
      }
      try cluster.remove("one")
      // Now it is the second's.
      _ = try cluster.serve("two", by: [2, 3], nodePort())
      for way in Way.all {
        try cluster.expect(
          way, from: cluster.outside, try cluster.address(ofNode: 1, way.family), 30_080,
          reaches: ["two-1", "two-2"])
      }
    },
    UpstreamCase("Granular Checks: Services: update nodePort, http and udp") { cluster in
      _ = try cluster.serve(by: [2, 3], nodePort())
      try cluster.define("web", nodePort(30_090))
      for way in Way.all {
        for node in 1...3 {
          let address = try cluster.address(ofNode: node, way.family)
          #expect(try cluster.ask(way, from: cluster.outside, address, 30_080) == .refused)
          try cluster.expect(
            way, from: cluster.outside, address, 30_090, reaches: ["web-1", "web-2"])
        }
      }
    },
    UpstreamCase("Granular Checks: Services: update endpoints, http and udp") { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2, 3], nodePort())
      try cluster.publish("web", [.pod(pods[0]), .pod(pods[1])])
      try cluster.delete(pods[2])
      for way in Way.all {
        try cluster.expect(way, from: client, "web", reaches: ["web-1", "web-2"])
        try cluster.expect(
          way, from: cluster.outside, try cluster.address(ofNode: 3, way.family), 30_080,
          reaches: ["web-1", "web-2"])
      }
    },
    UpstreamCase("KubeProxy: localhost nodeports are not opened") { cluster in
      _ = try cluster.serve(by: [1], nodePort())
      for way in Way.all {
        let loopback = try IPAddress(way.family == .v4 ? "127.0.0.1" : "::1")
        #expect(try cluster.ask(way, from: cluster[1], loopback, 30_080) == .refused, "\(way)")
      }
    },
  ]
}
