import Addressing
import Services
import TestSupport
import Testing
import Witness

@Suite("Connections to a service", .needsRoot)
struct ServiceBalancingTests {
  /// Each backend's share differs from what its weight says by no more than chance allows.
  ///
  /// Five standard deviations: of two million honest runs one would fail.
  private func expectFair(
    _ pods: [Int], shares: [Int: Double], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let count = Double(pods.count)
    for (pod, share) in shares {
      let heard = Double(pods.count { $0 == pod })
      let deviation = (count * share * (1 - share)).squareRoot()
      #expect(
        abs(heard - count * share) <= 5 * deviation, "pod \(pod): \(heard) of \(count)",
        sourceLocation: sourceLocation)
    }
  }

  @Test("are spread evenly by chance", arguments: IPFamily.allCases)
  func even(family: IPFamily) throws {
    let way = Way(transport: .tcp, family: family)
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([0, 1, 2])])
    let pods = try lab.pods(from: lab.outside, way.service, 80, times: 3_000)
    #expect(pods.count == 3_000)
    expectFair(pods, shares: [0: 1 / 3.0, 1: 1 / 3.0, 2: 1 / 3.0])
  }

  @Test("are spread by weight", arguments: Way.all)
  func weights(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([0, 1, 2], weights: [1, 2, 5])])
    let pods = try lab.pods(way.transport, from: lab.outside, way.service, 80, times: 400)
    #expect(pods.count == 400)
    expectFair(pods, shares: [0: 1 / 8.0, 1: 2 / 8.0, 2: 5 / 8.0])
  }

  @Test("are spread over long lists too", arguments: IPFamily.allCases)
  func long(family: IPFamily) throws {
    let way = Way(transport: .tcp, family: family)
    let lab = try ServiceLab()
    let short = try way.cluster([0, 1], weights: [30, 33])
    let long = try way.cluster([0, 1], weights: [30, 90])
    let longest = try way.cluster([0, 1], weights: [95, 4_000])
    try lab.serve([short])
    for (before, after, share) in [(short, long, 0.75), (long, longest, 4_000 / 4_095.0)] {
      try lab.change([before], [after])
      let pods = try lab.pods(from: lab.outside, way.service, 80, times: 200)
      #expect(pods.count == 200)
      expectFair(pods, shares: [1: share])
    }
    let tooLong = try way.cluster([0, 1], weights: [96, 4_000])
    #expect(
      throws: ServiceTableError.tooManyBuckets(tooLong.key, weights: 4_096, limit: 4_095)
    ) { try lab.change([longest], [tooLong]) }
    #expect(try lab.onNode { try ServiceTable.lacks(of: [longest], on: $0) } == [])
  }

  @Test("of one client all go to one backend where its address decides", arguments: Way.all)
  func hash(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([
      try way.cluster([0, 1, 2], balancing: .sourceHash),
      try way.nodePort([0, 1, 2], balancing: .sourceHash),
    ])
    var homes: Set<Int> = []
    for host in [lab.outside, lab.pods[0], lab.pods[1], lab.pods[2]] {
      for (address, port) in [(way.service, UInt16(80)), (way.node, 30_080)] {
        let pods = try lab.pods(way.transport, from: host, address, port, times: 10)
        #expect(pods.count == 10)
        #expect(Set(pods).count == 1)
        homes.formUnion(pods)
      }
    }
    // Four clients that all have the same would be odd, and always so or never.
    #expect(homes.count > 1)
  }

  @Test(
    "of one client stay with its backend until it has been away for long",
    arguments: [Way(transport: .tcp, family: .v4), Way(transport: .udp, family: .v6)])
  func affinity(way: Way) throws {
    let lab = try ServiceLab()
    let sticky = Frontend.Balancing.clientAffinity(seconds: 2)
    try lab.serve([
      try way.cluster([0, 1, 2], balancing: sticky),
      try way.nodePort([0, 1, 2], balancing: sticky),
    ])
    let clock = ContinuousClock()
    for (address, port) in [(way.service, UInt16(80)), (way.node, 30_080)] {
      // Longer than the time altogether, but never so long between two: where the machine has stood
      // still for that long, the series begins again.
      var pods: [Int] = []
      var longestPause = Duration.zero
      for _ in 1...20 {
        (pods, longestPause) = ([], .zero)
        let start = clock.now
        while start.duration(to: clock.now) < .seconds(3) {
          let last = clock.now
          try pause(milliseconds: 100)
          pods += try lab.pods(way.transport, from: lab.outside, address, port, times: 1)
          longestPause = max(longestPause, last.duration(to: clock.now))
        }
        if longestPause < .milliseconds(1_500) { break }
      }
      #expect(Set(pods).count == 1)
      #expect(pods.count > 3)
      #expect(try lab.node.run { try Witness.elements(inSet: "affinity").count } > 0)
    }
    // After that nothing is remembered: of clients who come anew, not all have the same.
    var fresh: Set<Int> = []
    for _ in 0..<12 {
      try pause(milliseconds: 2_300)
      fresh.formUnion(try lab.pods(way.transport, from: lab.outside, way.service, 80, times: 1))
      if fresh.count > 1 { break }
    }
    #expect(fresh.count > 1)
  }

  @Test(
    "of a client whose backend has gone choose anew, once; those of others stay", arguments: Way.all
  )
  func affinityRemoval(way: Way) throws {
    let lab = try ServiceLab()
    let sticky = Frontend.Balancing.clientAffinity(seconds: 3_600)
    let before = [
      try way.cluster([0, 1, 2], balancing: sticky),
      try way.nodePort([0, 1, 2], balancing: sticky),
    ]
    try lab.serve(before)
    let clients = [lab.outside, lab.pods[0], lab.pods[1], lab.pods[2]]
    var homes: [Int] = []
    for client in clients {
      let pods = try lab.pods(way.transport, from: client, way.service, 80, times: 5)
      try #require(Set(pods).count == 1 && pods.count == 5)
      homes.append(pods[0])
    }
    let gone = homes[0]
    let rest = [0, 1, 2].filter { $0 != gone }
    try lab.change(
      before,
      [try way.cluster(rest, balancing: sticky), try way.nodePort(rest, balancing: sticky)])
    for (client, home) in zip(clients, homes) {
      let pods = try lab.pods(way.transport, from: client, way.service, 80, times: 8)
      #expect(pods.count == 8)
      #expect(Set(pods).count == 1)
      #expect(home == gone ? pods.first != gone : pods.first == home)
    }
    let chains = try lab.node.run { try Witness.chains().map(\.name) }
    let address = try way.pod(gone).map { $0 == ":" ? "_" : $0 }
    #expect(!chains.contains { $0.hasSuffix("-\(String(address))-8080") })
  }

  @Test("that are remembered follow the policy Local", arguments: Way.all)
  func affinityLocal(way: Way) throws {
    let lab = try ServiceLab()
    let sticky = Frontend.Balancing.clientAffinity(seconds: 3_600)
    let everywhere = try way.nodePort([3, 1], balancing: sticky)
    let local = try way.nodePort([3, 1], balancing: sticky, localOnly: true)
    let nobody = try way.nodePort([3], balancing: sticky, localOnly: true)
    try lab.serve([everywhere])
    // Until somebody has the far one, which the policy then takes from him.
    _ = try lab.pods(way.transport, from: lab.outside, way.node, 30_080, times: 1)
    try lab.change([everywhere], [local])
    for _ in 0..<6 {
      #expect(
        try lab.ask(way.transport, from: lab.outside, way.node, 30_080)
          == .heard(by: 1, from: way.outside))
    }
    var far = 0
    for client in [lab.pods[0], lab.pods[2], lab.node] {
      let pods = try lab.pods(way.transport, from: client, way.node, 30_080, times: 6)
      #expect(Set(pods).count == 1 && pods.count == 6)
      far += pods.first == 3 ? 1 : 0
    }
    try lab.change([local], [nobody])
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.node, 30_080, patience: 300) == .silence)
    #expect(try lab.ask(way.transport, from: lab.pods[0], way.node, 30_080).pod == 3)
  }

  /// Lets real time pass: the kernel's own, which no test can turn.
  private func pause(milliseconds: Int) throws {
    let host = try Host()
    try host.program("/usr/bin/sleep", ["\(Double(milliseconds) / 1_000)"])
  }
}
