import Addressing
import JSON
import TestSupport
import Testing

extension UpstreamCase {
  /// Services at their own addresses.
  static let basics = [
    UpstreamCase(
      "Services: should serve a basic endpoint from pods; EndpointSlices match the pods"
    ) { cluster in
      let client = try cluster.pod("client", on: 1)
      try cluster.define("web")
      func expect(_ names: Set<String>) throws {
        for way in Way.all {
          for someone in [client, cluster[1], cluster[3]] as [any Someone] {
            if names.isEmpty {
              #expect(try cluster.ask(way, from: someone, "web") == .refused, "\(way)")
            } else {
              try cluster.expect(way, from: someone, "web", reaches: names)
            }
          }
        }
      }
      try expect([])
      let one = try cluster.pod("one", on: 1, app: "web")
      try cluster.publish("web", [.pod(one)])
      try expect(["one"])
      let two = try cluster.pod("two", on: 2, app: "web")
      try cluster.publish("web", [.pod(one), .pod(two)])
      try expect(["one", "two"])
      try cluster.publish("web", [.pod(two)])
      try cluster.delete(one)
      try expect(["two"])
      try cluster.publish("web", [])
      try cluster.delete(two)
      try expect([])
    },
    UpstreamCase("Services: should serve multiport endpoints from pods") { cluster in
      let client = try cluster.pod("client", on: 3)
      let first = ServiceCluster.ports(80, to: "first", transports: [.tcp], prefix: "first-")
      let second = ServiceCluster.ports(81, to: "second", transports: [.tcp], prefix: "second-")
      try cluster.define("web", ["ports": .array(first + second)])
      // Each has one of the two ports, at the same number.
      _ = try cluster.pod("one", on: 3, app: "web", ports: "first=8080")
      let two = try cluster.pod("two", on: 2, app: "web", ports: "second=8080")
      try cluster.publish(
        "web", [.pod(two)], ports: [["name": "second-tcp", "protocol": "TCP", "port": 8080]])
      for family in IPFamily.allCases {
        let way = Way(transport: .tcp, family: family)
        let address = try ServiceCluster.address("web", family)
        try cluster.expect(way, from: client, address, 80, reaches: ["one"])
        try cluster.expect(way, from: client, address, 81, reaches: ["two"])
      }
    },
    UpstreamCase("Services: should serve endpoints on same port and different protocols") {
      cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2])
      let names = Set(pods.map(\.name))
      for way in Way.all { try cluster.expect(way, from: client, "web", reaches: names) }
      for left in [Transport.udp, .tcp] {
        try cluster.define("web", ["ports": .array(ServiceCluster.ports(transports: [left]))])
        for way in Way.all {
          if way.transport == left {
            try cluster.expect(way, from: client, "web", reaches: names)
          } else {
            #expect(try cluster.ask(way, from: client, "web") == .refused, "\(way)")
          }
        }
      }
    },
    UpstreamCase("Services: should test the lifecycle of an Endpoint") { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try (1...3).map { try cluster.pod("pod-\($0)", on: $0) }
      try cluster.define("web", ["selector": .null])
      for numbers in [[0], [1, 2], [2], [0, 1, 2], []] {
        try cluster.publish("web", numbers.map { .pod(pods[$0]) })
        for way in Way.all {
          if numbers.isEmpty {
            #expect(try cluster.ask(way, from: client, "web") == .refused, "\(way)")
          } else {
            try cluster.expect(
              way, from: client, "web", reaches: Set(numbers.map { pods[$0].name }))
          }
        }
      }
    },
    UpstreamCase("Services: should preserve source pod IP for traffic thru service cluster IP") {
      cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2, 3])
      for way in Way.all {
        try cluster.expect(
          way, from: client, "web", reaches: Set(pods.map(\.name)),
          as: try client.address(way.family).description)
      }
    },
    UpstreamCase("Services: should allow pods to hairpin back to themselves through services") {
      cluster in
      let pods = try cluster.serve(by: [1])
      for way in Way.all {
        let heard = try cluster.ask(way, from: pods[0], "web")
        #expect(heard.name == pods[0].name, "\(way)")
        #expect(heard.source != (try pods[0].address(way.family).description), "\(way)")
      }
    },
    UpstreamCase("Services: should be able to up and down services") { cluster in
      let client = try cluster.pod("client", on: 2)
      let one = try cluster.serve("one", by: [1, 2])
      let two = try cluster.serve("two", by: [3])
      func expectBoth() throws {
        for way in Way.all {
          try cluster.expect(way, from: client, "two", reaches: Set(two.map(\.name)))
        }
      }
      for way in Way.all {
        try cluster.expect(way, from: client, "one", reaches: Set(one.map(\.name)))
      }
      try expectBoth()
      try cluster.remove("one")
      for way in Way.all {
        let gone = try ServiceCluster.address("one", way.family)
        #expect(try cluster.ask(way, from: client, gone, 80, patience: 150).name == nil, "\(way)")
      }
      try expectBoth()
      let three = try cluster.serve("three", by: [2, 1])
      for way in Way.all {
        try cluster.expect(way, from: client, "three", reaches: Set(three.map(\.name)))
      }
      try expectBoth()
    },
    UpstreamCase(
      "Services: should implement service.kubernetes.io/service-proxy-name and /headless"
    ) { cluster in
      let client = try cluster.pod("client", on: 2)
      let pods = try cluster.serve(by: [1, 2])
      let names = Set(pods.map(\.name))
      for label in ["service-proxy-name", "headless"] {
        for way in Way.all { try cluster.expect(way, from: client, "web", reaches: names) }
        try cluster.define("web", labels: ["service.kubernetes.io/\(label)": "another"])
        for way in Way.all {
          #expect(
            try cluster.ask(way, from: client, "web", patience: 150).name == nil,
            "\(way) with \(label)")
        }
        try cluster.define("web")
      }
      for way in Way.all { try cluster.expect(way, from: client, "web", reaches: names) }
    },
    UpstreamCase("Services: should create endpoints for unready pods") { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try (1...2).map { try cluster.pod("pod-\($0)", on: $0) }
      try cluster.define("web", ["selector": .null, "publishNotReadyAddresses": true])
      try cluster.publish("web", [.pod(pods[0], .notReady), .pod(pods[1], .terminating)])
      for way in Way.all {
        try cluster.expect(way, from: client, "web", reaches: ["pod-1", "pod-2"])
      }
      try cluster.define("web", ["selector": .null])
      for way in Way.all { try cluster.expect(way, from: client, "web", reaches: ["pod-2"]) }
    },
    UpstreamCase(
      "[Feature:IPv6DualStack] should create services with ipv4, ipv6, and both cluster ips"
    ) { cluster in
      let client = try cluster.pod("client", on: 1)
      for families in [[IPFamily.v4], [.v6], [.v4, .v6], [.v6, .v4]] {
        try cluster.define(
          "web",
          [
            "clusterIPs": .array(
              try families.map { .string(try ServiceCluster.address("web", $0).description) }),
            "ipFamilies": .array(families.map { .string($0 == .v4 ? "IPv4" : "IPv6") }),
            "ipFamilyPolicy": families.count == 2 ? "RequireDualStack" : "SingleStack",
          ])
        let pod = try cluster.pod("pod", on: 2, app: "web")
        try cluster.publish("web", [.pod(pod)])
        for way in Way.all {
          if families.contains(way.family) {
            try cluster.expect(way, from: client, "web", reaches: ["pod"])
          } else {
            #expect(
              try cluster.ask(way, from: client, "web", patience: 150).name == nil, "\(way)")
          }
        }
        try cluster.delete(pod)
        try cluster.remove("web")
      }
    },
    UpstreamCase("CVE-2021-29923: IPv4 Service Type ClusterIP with leading zeros") { cluster in
      // Upstream reads them as decimal numbers for old times' sake; here nobody may be in doubt.
      let error = #expect(throws: (any Error).self) {
        try cluster.define(
          "web", ["clusterIPs": ["10.96.0.011"], "ipFamilies": ["IPv4"], "ipFamilyPolicy": .null])
      }
      #expect(error != nil)
      let client = try cluster.pod("client", on: 1, app: "web")
      for address in ["10.96.0.11", "10.96.0.9"] {
        #expect(
          try cluster.ask(
            Way(transport: .tcp, family: .v4), from: client, try IPAddress(address), 80,
            patience: 150
          ).name == nil)
      }
    },
  ]
}
