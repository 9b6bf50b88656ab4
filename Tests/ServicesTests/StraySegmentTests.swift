import Addressing
import Services
import TestSupport
import Testing

/// `[sig-network] Conntrack should drop INVALID conntrack entries`, and more than that: where the client
/// is hidden by the node, the node itself would refuse.
@Suite("A segment of a backend that belongs to no connection", .needsRoot)
struct StraySegmentTests {
  /// Who speaks to a service of whom.
  struct Case: CustomTestStringConvertible, Sendable {
    /// A pod, or somebody outside.
    var pod: Int?
    /// 3 is on another node.
    let backend: Int
    /// At a port of the node, or else at the service's address.
    var isNodePort = false
    let family: IPFamily

    static let all = IPFamily.allCases.flatMap { family in
      [
        Case(pod: 0, backend: 1, family: family), Case(backend: 1, family: family),
        Case(backend: 1, isNodePort: true, family: family),
        Case(pod: 0, backend: 3, family: family), Case(backend: 3, family: family),
      ]
    }

    var testDescription: String {
      "\(family), from \(pod.map { "pod \($0)" } ?? "outside") to \(backend == 3 ? "far" : "near")"
        + (isNodePort ? " by node port" : "")
    }
  }

  @Test("breaks no connection off, as it would without the rule", arguments: Case.all)
  func dropped(_ test: Case) throws {
    let lab = try ServiceLab()
    let way = Way(transport: .tcp, family: test.family)
    let address = try ServiceLab.address(test.backend, test.family)
    let backend = Backend(address, port: 7_070, isLocal: test.backend != 3)
    let place: Frontend.Place =
      test.isNodePort ? .node(test.family) : .address(try IPAddress(way.service))
    let port: UInt16 = test.isNodePort ? 30_080 : 80
    try lab.serve([
      Frontend(
        place, .tcp, port: port, for: test.isNodePort ? .outside : .cluster, backends: [backend])
    ])
    try lab.node.nft(["-f", "-"], input: Self.counters)
    let host = test.backend == 3 ? lab.far : lab.pods[test.backend]
    let server = try host.run { try StrayServer(at: address, port: 7_070) }
    let client = try (test.pod.map { lab.pods[$0] } ?? lab.outside).run {
      try NetSocket(.tcp, test.family)
    }
    let target = try IPAddress(test.isNodePort ? way.node : way.service)
    try #require(try client.connect(target, port: port, patience: 10_000) == .connected)
    try server.accept()
    #expect(try server.speak(with: client) == 1)

    // A busy machine may lose some before the node has seen them.
    for _ in 0..<50 where try count("strays", lab) < 3 { try host.run { try server.sendStray() } }
    #expect(try count("strays", lab) >= 3)
    #expect(!server.isReset)
    #expect(try count("resets", lab) == 0)
    #expect(try server.speak(with: client) == 1)

    // It is the rule that keeps them away.
    try lab.node.nft([
      "flush", "chain", test.family == .v4 ? "ip" : "ip6", "swift_cni_services", "strays",
    ])
    for _ in 0..<50 where !server.isReset { try host.run { try server.sendStray() } }
    #expect(server.isReset)
    #expect(try count("resets", lab) > 0)
  }

  @Test("is dropped of backends alone, and on its way to those who may have asked them")
  func others() throws {
    let lab = try ServiceLab()
    let way = Way(transport: .tcp, family: .v4)
    try lab.serve([try way.cluster([1, 3])])
    try lab.node.nft(["-f", "-"], input: Self.counters)
    // Nobody's backend; it has a connection with somebody outside, and half of another one comes by.
    let address = try ServiceLab.address(2, .v4)
    let server = try lab.pods[2].run { try StrayServer(at: address, port: 7_070) }
    let client = try lab.outside.run { try NetSocket(.tcp, .v4) }
    try #require(try client.connect(address, port: 7_070, patience: 10_000) == .connected)
    try server.accept()
    #expect(try server.speak(with: client) == 1)
    for _ in 0..<50 where try count("left", lab) == 0 {
      try lab.pods[2].run { try server.sendStray() }
    }
    #expect(try count("left", lab) > 0)
    // One who is known to the node only by what it answers to outside: the way there is another's.
    try lab.far.ip(["route add 192.0.2.0/24 via 198.51.100.1"])
    let before = try count("left", lab)
    for _ in 0..<50 where try count("left", lab) == before {
      try lab.far.run { try StrayServer.agree(from: "10.1.3.2", to: "192.0.2.3") }
    }
    #expect(try count("left", lab) > before)
  }

  /// What belongs to no connection and comes from backends, what of it leaves the node, and who breaks
  /// off.
  private static let counters = """
    table inet t {
      counter strays { }
      counter left { }
      counter resets { }
      chain first {
        type filter hook prerouting priority 0;
        ct state invalid tcp sport 7070 counter name strays
      }
      chain last {
        type filter hook postrouting priority 400;
        ct state invalid tcp sport 7070 counter name left
        tcp dport 7070 tcp flags rst counter name resets
      }
    }
    """

  private func count(_ name: String, _ lab: ServiceLab) throws -> Int {
    let words = try lab.node.nft(["list", "counter", "inet", "t", name]).split { $0.isWhitespace }
    let place = try #require(words.firstIndex(of: "packets"))
    return try #require(Int(words[place + 1]))
  }
}
