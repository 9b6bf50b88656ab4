import Addressing
import JSON
import Mutation
import TestSupport
import Testing

extension UpstreamCase {
  private static let udp = IPFamily.allCases.map { Way(transport: .udp, family: $0) }

  /// Flows that are there while pods come and go.
  static let changes = [
    UpstreamCase(
      "Conntrack: should be able to preserve UDP traffic when server pod cycles for a ClusterIP "
        + "service, on the same and on different nodes"
    ) { cluster in
      let client = try cluster.pod("client", on: 1)
      try cycle(
        cluster, from: client, keys: [:],
        to: { try ServiceCluster.address("web", $0) }, ServiceCluster.port)
    },
    UpstreamCase(
      "Conntrack: should be able to preserve UDP traffic when server pod cycles for a NodePort "
        + "service; LoadBalancers: the same"
    ) { cluster in
      try cycle(
        cluster, from: cluster.outside,
        keys: ["type": "NodePort", "ports": .array(ServiceCluster.ports(node: 30_080))],
        to: { try cluster.address(ofNode: 1, $0) }, 30_080)
    },
    UpstreamCase(
      "Conntrack: should be able to preserve UDP traffic when initial unready endpoints get ready"
    ) { cluster in
      let client = try cluster.pod("client", on: 1)
      try cluster.define("web", ["selector": .null])
      let pod = try cluster.pod("pod", on: 2)
      try cluster.publish("web", [.pod(pod, .notReady)])
      let callers = try udp.map { way in
        try Caller(way, from: client, to: try ServiceCluster.address("web", way.family), 80)
      }
      for caller in callers { #expect(try caller.speak(patience: 600) == .refused) }
      try cluster.publish("web", [.pod(pod)])
      for caller in callers { #expect(try steady(caller) == "pod") }
    },
    UpstreamCase("Services: connections that are there outlive a change of other endpoints") {
      cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2, 3])
      let callers = try (0..<4).flatMap { _ in
        try Way.all.map { way in
          try Caller(way, from: client, to: try ServiceCluster.address("web", way.family), 80)
        }
      }
      let homes = try callers.map { try $0.speak().name }
      #expect(!homes.contains(nil))
      try cluster.publish("web", [.pod(pods[0]), .pod(pods[2])])
      try cluster.delete(pods[1])
      for (caller, home) in zip(callers, homes) where home != "web-2" {
        #expect(try caller.speak().name == home)
      }
    },
    UpstreamCase("Service endpoints latency should not be very high") { cluster in
      // The same by either backend, and for each node; upstream makes a hundred.
      guard cluster.crossing == .vxlan else { return }
      let count = FuzzSettings.rounds(20)
      let client = try cluster.pod("client", on: 1)
      let pod = try cluster.pod("pod", on: 2)
      let way = Way(transport: .tcp, family: .v4)
      let clock = ContinuousClock()
      var times: [Duration] = []
      for number in 0..<count {
        let service = "service-\(number)"
        try cluster.write(service, ["selector": .null])
        try cluster.writeSlices(service, [.pod(pod)])
        let start = clock.now
        try cluster.cnictl(cluster[1], "apply")
        #expect(try cluster.ask(way, from: client, service).name == "pod")
        times.append(start.duration(to: clock.now))
      }
      times.sort()
      let (median, last) = (times[count / 2], times[count * 99 / 100])
      print("endpoints latency: p50 \(median), p90 \(times[count * 9 / 10]), p99 \(last)")
      // Upstream's limits.
      #expect(median < .seconds(20) && last < .seconds(50))
    },
  ]

  /// Lets a pod of one node take the place of one of another, and back, while clients keep sending.
  private static func cycle(
    _ cluster: ServiceCluster, from someone: any Someone, keys: JSONObject,
    to address: (IPFamily) throws -> IPAddress, _ port: UInt16
  ) throws {
    var pods = try cluster.serve(by: [2], keys)
    let callers = try udp.map { way in
      try Caller(way, from: someone, to: try address(way.family), port)
    }
    for caller in callers { #expect(try caller.speak().name == "web-1") }
    for (place, number) in [2, 1, 3, 1, 1].enumerated() {
      let name = "next-\(place)"
      let next = try cluster.pod(name, on: number, app: "web")
      try cluster.publish("web", [.pod(next)])
      try cluster.delete(pods.removeLast())
      pods.append(next)
      for caller in callers { #expect(try steady(caller) == name, "to node \(number)") }
    }
  }

  /// Who answers somebody who keeps sending: he may hear once that nobody did before.
  private static func steady(_ caller: Caller) throws -> String? {
    for _ in 0..<5 {
      if let name = try caller.speak(patience: 1_000).name { return name }
    }
    return nil
  }
}
