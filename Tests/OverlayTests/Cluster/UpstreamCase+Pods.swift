import Addressing
import TestSupport
import Testing

extension UpstreamCase {
  /// Pods and nodes without services.
  static let pods = [
    UpstreamCase(
      "Granular Checks: Pods: intra-pod communication, http and udp; NoSNAT between pods"
    ) { cluster in
      let pods = try [("a", 1), ("b", 1), ("c", 2), ("d", 3)].map { name, node in
        try cluster.pod(name, on: node)
      }
      for speaker in pods {
        for listener in pods where listener !== speaker {
          for way in Way.all {
            let source = try speaker.address(way.family).description
            #expect(
              try cluster.ask(
                way, from: speaker, try listener.address(way.family), Answerer.port)
                == .heard(by: listener.name, from: source),
              "\(way) from \(speaker.name) to \(listener.name)")
          }
        }
      }
    },
    UpstreamCase("Granular Checks: Pods: node-pod communication, http and udp") { cluster in
      let pods = try (1...3).map { try cluster.pod("pod-\($0)", on: $0) }
      for node in cluster.nodes {
        for pod in pods {
          for way in Way.all {
            let heard = try cluster.ask(
              way, from: node, try pod.address(way.family), Answerer.port)
            #expect(heard.name == pod.name, "\(way) from \(node.name) to \(pod.name)")
          }
        }
      }
    },
    UpstreamCase("Granular Checks: large requests, http and udp") { cluster in
      let pods = try (1...2).map { try cluster.pod("pod-\($0)", on: $0) }
      let web = try cluster.serve(by: [2])
      for way in Way.all {
        let size = way.transport == .tcp ? 300_000 : 9_000
        #expect(
          try cluster.ask(
            way, from: pods[0], try pods[1].address(way.family), Answerer.port, bytes: size
          ).name == "pod-2", "\(way)")
        #expect(
          try cluster.ask(way, from: pods[0], "web", bytes: size).name == web[0].name, "\(way)")
      }
    },
    UpstreamCase("should provide Internet connection for containers", .masquerading) { cluster in
      let pods = try (1...2).map { try cluster.pod("pod-\($0)", on: $0) }
      let world = try Answerer(
        "world", in: cluster.outside.namespace,
        at: IPFamily.allCases.map { try IPAddress(cluster.outside.address($0)) })
      for way in Way.all {
        let node = try cluster.address(ofNode: 1, way.family).description
        #expect(
          try cluster.ask(
            way, from: pods[0], try IPAddress(cluster.outside.address(way.family)), Answerer.port)
            == .heard(by: "world", from: node), "\(way)")
        let within = try cluster.ask(
          way, from: pods[0], try pods[1].address(way.family), Answerer.port)
        let source = try pods[0].address(way.family).description
        #expect(within == .heard(by: "pod-2", from: source), "\(way)")
      }
      withExtendedLifetime(world) {}
    },
    UpstreamCase("should recreate its rules if they are deleted") { cluster in
      let client = try cluster.pod("client", on: 1)
      let pods = try cluster.serve(by: [1, 2])
      try cluster[1].sh("nft flush ruleset; ip link del flannel.1 2>/dev/null || true")
      #expect(
        try cluster.ask(Way.all[0], from: client, "web", patience: 150).name == nil)
      // What the timer and the path unit do.
      try cluster[1].apply()
      try cluster.cnictl(cluster[1], "apply")
      for way in Way.all {
        try cluster.expect(way, from: client, "web", reaches: Set(pods.map(\.name)))
      }
    },
  ]
}
