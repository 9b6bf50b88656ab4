import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing

extension SecurityTests {
  @Suite("What a network keeps from a pod")
  struct Windows {
    @Test("stays away while pods come and go under fire of another bridge (S17)")
    func underFire() throws {
      let node = try FirewallLab(["ingressPolicy": "same-bridge"])
      let lab = node.lab
      // Two addresses, of which the first stays taken: each pod that comes has the one aimed at.
      let bridge = node.bridge().with([
        "ipam": lab.hostLocal(keys: [
          "ranges": [[["subnet": "10.1.0.0/24", "rangeStart": "10.1.0.2", "rangeEnd": "10.1.0.3"]]]
        ])
      ])
      func add(_ pod: Pod) throws -> TestNetwork {
        let chained = try node.firewall().after(try lab.add(bridge, pod))
        try lab.add(chained, pod).succeed()
        return chained
      }
      let shooter = try Pod("shooter")
      try node.add(shooter, to: "bar")
      _ = try add(try Pod("first"))
      let fire = try shooter.run {
        try BackgroundProgram(
          "/usr/bin/ping", ["-n", "-q", "-i", "0.002", "10.1.0.3"], log: lab.state.path("ping"))
      }
      let tally = GateTally()
      for round in 1...20 {
        let pod = try Pod("pod-\(round)")
        try Self.count(in: pod)
        let chained = try add(pod)
        try lab.delete(chained, pod).succeed()
        try lab.delete(bridge, pod).succeed()
        let hits = try Self.hits(in: pod)
        tally.point(hits == 0, "\(hits) packets reached pod \(round)")
      }
      // The fire is real: without the policy it arrives.
      let last = try Pod("last")
      try Self.count(in: last)
      _ = try add(last)
      #expect(try Self.hits(in: last) == 0)
      try node.nft("flush ruleset")
      let arrives = try Patience.until(.seconds(60)) { try Self.hits(in: last) > 0 }
      #expect(arrives && fire.isRunning)
      try GateReport.tell(
        "packets of another bridge while pods come and go", [.hijacks], ours: tally.figures)
    }

    @Test(
      "of IPv4 alone is every IPv6 address but the link's own, and with tuning that too (S02)",
      arguments: PairPlugin.allCases)
    func noIPv6(_ plugin: PairPlugin) throws {
      let lab = try PluginLab()
      let pod = try Pod("one")
      let network = plugin.network(in: lab, ipam: lab.hostLocal("10.1.2.0/24"))
      let added = try lab.add(network, pod)
      #expect(try added.result().addresses.map(\.address.family) == [.v4])
      #expect(try Self.addresses(in: pod).allSatisfy { $0.hasPrefix("fe80:") })
      let tuned = try lab.network(
        "tuning",
        [
          "sysctl": ["net.ipv6.conf.IFNAME.disable_ipv6": "1"],
          "dataDir": .string(lab.state.path("tuning")),
        ]
      ).after(added)
      try lab.add(tuned, pod).succeed()
      #expect(try Self.addresses(in: pod) == [])
      #expect(try Traffic.pings("10.1.2.2", from: lab.host))
    }

    /// Lets a pod count what comes from the other bridge, before anything else sees it.
    private static func count(in pod: Pod) throws {
      try pod.run {
        try TestProgram.nft("add table ip watch")
        try TestProgram.nft("add chain ip watch c { type filter hook prerouting priority -400 ; }")
        try TestProgram.nft("add rule ip watch c ip saddr 10.2.0.0/24 counter")
      }
    }

    private static func hits(in pod: Pod) throws -> Int {
      let words = try words("/usr/sbin/nft", "list chain ip watch c", in: pod)
      let place = try #require(words.firstIndex(of: "packets"))
      return try #require(Int(words[place + 1]))
    }

    private static func addresses(in pod: Pod) throws -> [String] {
      let words = try words("/usr/sbin/ip", "-6 -o address show dev eth0", in: pod)
      return words.indices.filter { words[$0] == "inet6" }.map { words[$0 + 1] }
    }

    private static func words(_ program: String, _ line: String, in pod: Pod) throws -> [String] {
      let ran = try pod.run {
        try ChildProcess.run(
          program, arguments: line.split(separator: " ").map(String.init), environment: .current())
      }
      try #require(ran.isSuccess)
      return String(decoding: ran.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .map(String.init)
    }
  }
}
