import Addressing
import Services
import TestSupport
import Testing

/// One way to speak to a service, in one family.
struct Way: CustomTestStringConvertible, Sendable {
  let transport: Transport
  let family: IPFamily

  static let all = [Transport.tcp, .udp].flatMap { transport in
    IPFamily.allCases.map { Way(transport: transport, family: $0) }
  }

  var testDescription: String { "\(transport.name) \(family)" }

  /// One text for IPv4, one for IPv6.
  func pick(_ v4: String, _ v6: String) -> String { family == .v4 ? v4 : v6 }

  /// The address of the service in the tests.
  var service: String { pick("10.96.0.1", "fd96::1") }
  /// The node's address to the outside.
  var node: String { pick("192.0.2.1", "2001:db8::1") }
  /// The node's address to its pods.
  var gateway: String { pick("10.1.2.1", "fd00:1::1") }
  /// The address of somebody outside.
  var outside: String { pick("192.0.2.2", "2001:db8::2") }
  /// An address of a balancer, or another that is not the cluster's.
  var balancer: String { pick("203.0.113.1", "2001:db8:2::1") }

  func pod(_ number: Int) throws -> String {
    try ServiceLab.address(number, family).description
  }

  /// A service at its address, port 80.
  func cluster(
    _ pods: [Int], balancing: Frontend.Balancing = .random, localOnly: Bool = false,
    weights: [UInt16] = []
  ) throws -> Frontend {
    Frontend(
      .address(try IPAddress(service)), transport, port: 80, for: .cluster, balancing: balancing,
      localOnly: localOnly, backends: try ServiceLab.backends(pods, family, weights: weights))
  }

  /// A service at the node's port 30080.
  func nodePort(
    _ pods: [Int], balancing: Frontend.Balancing = .random, localOnly: Bool = false,
    sources: [String] = []
  ) throws -> Frontend {
    Frontend(
      .node(family), transport, port: 30_080, for: .outside, balancing: balancing,
      localOnly: localOnly, backends: try ServiceLab.backends(pods, family),
      sources: try sources.map { try Subnet($0) })
  }

  /// A service at a balancer's address, port 80.
  func balanced(
    _ pods: [Int], localOnly: Bool = false, sources: [String] = []
  ) throws -> Frontend {
    Frontend(
      .address(try IPAddress(balancer)), transport, port: 80, for: .outside, localOnly: localOnly,
      backends: try ServiceLab.backends(pods, family), sources: try sources.map { try Subnet($0) })
  }
}

@Suite("A service", .needsRoot)
struct ServicePacketTests {
  @Test("is reached at its address by pods, by the node and from outside", arguments: Way.all)
  func cluster(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([1])])
    let fromPod = try lab.ask(way.transport, from: lab.pods[0], way.service, 80)
    let fromNode = try lab.ask(way.transport, from: lab.node, way.service, 80)
    let fromOutside = try lab.ask(way.transport, from: lab.outside, way.service, 80)
    // Nobody is hidden: all answers come back this way anyhow.
    #expect(fromPod == .heard(by: 1, from: try way.pod(0)))
    #expect(fromNode == .heard(by: 1, from: way.node))
    #expect(fromOutside == .heard(by: 1, from: way.outside))
  }

  @Test("hides a pod from itself when it is led back to it", arguments: Way.all)
  func hairpin(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([1]), try way.nodePort([1])])
    let itself = try lab.ask(way.transport, from: lab.pods[1], way.service, 80)
    let byPort = try lab.ask(way.transport, from: lab.pods[1], way.node, 30_080)
    #expect(itself == .heard(by: 1, from: way.gateway))
    #expect(byPort == .heard(by: 1, from: way.gateway))
    // Speaking to itself without a service it is not.
    let direct = try lab.ask(way.transport, from: lab.pods[1], try way.pod(1), ServiceLab.port)
    #expect(direct == .heard(by: 1, from: try way.pod(1)))
  }

  @Test(
    "hides those who are not of the cluster where the answer takes another way", arguments: Way.all)
  func remote(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.cluster([3]), try way.nodePort([3])])
    let far = way.pick("198.51.100.1", "2001:db8:1::1")
    #expect(
      try lab.ask(way.transport, from: lab.pods[0], way.service, 80)
        == .heard(by: 3, from: try way.pod(0)))
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.service, 80) == .heard(by: 3, from: far))
    #expect(try lab.ask(way.transport, from: lab.node, way.service, 80) == .heard(by: 3, from: far))
    #expect(
      try lab.ask(way.transport, from: lab.outside, way.node, 30_080) == .heard(by: 3, from: far))
  }

  @Test("is reached at a port of the node, at the addresses that are named", arguments: Way.all)
  func nodePort(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.nodePort([1])])
    let fromOutside = try lab.ask(way.transport, from: lab.outside, way.node, 30_080)
    let fromPod = try lab.ask(way.transport, from: lab.pods[0], way.node, 30_080)
    let fromNode = try lab.ask(way.transport, from: lab.node, way.node, 30_080)
    let other = way.pick("198.51.100.1", "2001:db8:1::1")
    let elsewhere = try lab.ask(way.transport, from: lab.far, other, 30_080)
    #expect(fromOutside == .heard(by: 1, from: way.gateway))
    #expect(fromPod == .heard(by: 1, from: try way.pod(0)))
    #expect(fromNode == .heard(by: 1, from: way.gateway))
    #expect(elsewhere == .refused)

    // At all of the node's addresses, but not at loopback ones, nor at those of others.
    var settings = try ServiceLab.settings()
    settings.nodeAddresses = IPFamily.allCases.map(Subnet.everything)
    try lab.onNode { try ServiceTable.install(settings, on: $0) }
    let everywhere = try lab.ask(way.transport, from: lab.far, other, 30_080)
    let loopback = try lab.ask(way.transport, from: lab.node, way.pick("127.0.0.1", "::1"), 30_080)
    let passing = try lab.ask(way.transport, from: lab.outside, try way.pod(2), 30_080)
    #expect(everywhere == .heard(by: 1, from: way.gateway))
    #expect(loopback == .refused)
    #expect(passing == .refused)
  }

  @Test(
    "is reached at an address that is not the cluster's, which hides strangers", arguments: Way.all)
  func balancer(way: Way) throws {
    let lab = try ServiceLab()
    try lab.serve([try way.balanced([1]), try way.cluster([2])])
    let fromOutside = try lab.ask(way.transport, from: lab.outside, way.balancer, 80)
    #expect(fromOutside == .heard(by: 1, from: way.gateway))
    let fromPod = try lab.ask(way.transport, from: lab.pods[0], way.balancer, 80)
    #expect(fromPod == .heard(by: 1, from: try way.pod(0)))
  }
}
