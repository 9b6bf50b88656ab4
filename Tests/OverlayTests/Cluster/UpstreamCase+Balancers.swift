import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  /// An address for outside that the network leads to the first node.
  private static func balancer(_ family: IPFamily) throws -> IPAddress {
    try IPAddress(family == .v4 ? "203.0.113.200" : "2001:db8:2::200")
  }

  /// One service of one family at its balancer's address, besides what these keys say.
  private static func keys(_ family: IPFamily, _ more: JSONObject = [:]) throws -> JSONObject {
    var keys: JSONObject = [
      "type": "LoadBalancer", "loadBalancerIP": .string(try balancer(family).description),
      "clusterIPs": [.string(try ServiceCluster.address("web", family).description)],
      "ipFamilies": [family == .v4 ? "IPv4" : "IPv6"], "ipFamilyPolicy": "SingleStack",
    ]
    for member in more.members { keys[member.key] = member.value }
    return keys
  }

  private static let transports = [Transport.tcp, .udp]

  /// Addresses for outside.
  static let balancers = [
    UpstreamCase("LoadBalancers: should work for type LoadBalancer, with both policies") {
      cluster in
      let client = try cluster.pod("client", on: 1)
      for family in IPFamily.allCases {
        let address = try balancer(family)
        let pods = try cluster.serve(by: [1, 2], try keys(family))
        for transport in transports {
          let way = Way(transport: transport, family: family)
          for someone in [cluster.outside, client] as [any Someone] {
            try cluster.expect(way, from: someone, address, 80, reaches: ["web-1", "web-2"])
          }
        }
        try cluster.define("web", try keys(family, ["externalTrafficPolicy": "Local"]))
        for transport in transports {
          let way = Way(transport: transport, family: family)
          try cluster.expect(
            way, from: cluster.outside, address, 80, reaches: ["web-1"],
            as: cluster.outside.address(family))
          try cluster.expect(way, from: client, address, 80, reaches: ["web-1", "web-2"])
        }
        for pod in pods { try cluster.delete(pod) }
        try cluster.remove("web")
      }
    },
    UpstreamCase(
      "LoadBalancers: should be able to change the type and ports of a TCP and UDP service"
    ) { cluster in
      let client = try cluster.pod("client", on: 2)
      for family in IPFamily.allCases {
        let address = try balancer(family)
        let pods = try cluster.serve(
          by: [1, 2], try keys(family, ["type": "ClusterIP", "loadBalancerIP": .null]))
        func expect(_ port: UInt16, isOpen: Bool) throws {
          for transport in transports {
            let way = Way(transport: transport, family: family)
            let own = try ServiceCluster.address("web", family)
            try cluster.expect(way, from: client, own, port, reaches: ["web-1", "web-2"])
            if isOpen {
              try cluster.expect(
                way, from: cluster.outside, address, port, reaches: ["web-1", "web-2"])
            } else {
              #expect(
                try cluster.ask(way, from: cluster.outside, address, port, patience: 150).name
                  == nil, "\(way)")
            }
          }
        }
        try expect(80, isOpen: false)
        try cluster.define("web", try keys(family))
        try expect(80, isOpen: true)
        try cluster.define("web", try keys(family, ["ports": .array(ServiceCluster.ports(81))]))
        try expect(81, isOpen: true)
        #expect(
          try cluster.ask(
            Way(transport: .tcp, family: family), from: cluster.outside, address, 80, patience: 150
          ).name == nil)
        try cluster.define(
          "web", try keys(family, ["type": "ClusterIP", "loadBalancerIP": .null]))
        try expect(80, isOpen: false)
        for pod in pods { try cluster.delete(pod) }
        try cluster.remove("web")
      }
    },
    UpstreamCase("LoadBalancers: should only allow access from service loadbalancer source ranges")
    {
      cluster in
      for family in IPFamily.allCases {
        let address = try balancer(family)
        let host = "/\(family.bitWidth)"
        let pods = try cluster.serve(by: [1, 2], try keys(family))
        for (source, isAllowed) in [
          (cluster.outside.address(family), true),
          (family == .v4 ? "198.51.100.7" : "2001:db8:7::7", false),
        ] {
          try cluster.define(
            "web", try keys(family, ["loadBalancerSourceRanges": [.string(source + host)]]))
          for transport in transports {
            let way = Way(transport: transport, family: family)
            if isAllowed {
              try cluster.expect(
                way, from: cluster.outside, address, 80, reaches: ["web-1", "web-2"])
            } else {
              #expect(
                try cluster.ask(way, from: cluster.outside, address, 80, patience: 150)
                  == .silence, "\(way)")
            }
          }
        }
        for pod in pods { try cluster.delete(pod) }
        try cluster.remove("web")
      }
    },
  ]
}
