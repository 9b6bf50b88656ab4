import Addressing
import Testing

@testable import Services

@Suite("A service's frontends")
struct ServiceFrontendTests {
  static func service(_ change: (inout Service) throws -> Void = { _ in }) throws -> Service {
    var service = Service(try #require(ServiceName("web")))
    service.families = [.v4, .v6]
    service.clusterAddresses = [try IPAddress("10.96.0.5"), try IPAddress("fd00::5")]
    service.ports = [ServicePort("http", .tcp, 80, to: .number(8080))]
    try change(&service)
    return service
  }

  static func endpoint(
    _ number: Int, _ readiness: Readiness = .ready, local: Bool = true,
    labels: [String: String] = [:], weight: UInt16? = nil
  ) throws -> ServiceEndpoint {
    let owner = try #require(
      EndpointOwner(network: "pods", container: "pod\(number)", interface: "eth0"))
    return ServiceEndpoint(
      origin: .attachment(owner),
      addresses: [try IPAddress("10.1.0.\(number)"), try IPAddress("fd01::\(number)")],
      ports: .named(["web": 9000]), weight: weight, isLocal: local, readiness: readiness,
      labels: labels)
  }

  static func backends(_ frontends: [Frontend], _ place: Int = 0) -> [String] {
    frontends[place].backends.map { "\($0.address) \($0.port) \($0.weight) \($0.isLocal)" }
  }

  @Test("are its addresses for the cluster, of each family the pods of that family")
  func cluster() throws {
    let frontends = try Self.service().frontends([try Self.endpoint(1), try Self.endpoint(2)])
    #expect(frontends.map(\.place.text) == ["10.96.0.5", "fd00::5"])
    #expect(frontends.map(\.audience) == [.cluster, .cluster])
    #expect(Self.backends(frontends) == ["10.1.0.1 8080 1 true", "10.1.0.2 8080 1 true"])
    #expect(Self.backends(frontends, 1) == ["fd01::1 8080 1 true", "fd01::2 8080 1 true"])
  }

  @Test("are besides the node's ports, and addresses for outside, with those who may come")
  func outside() throws {
    let service = try Self.service { service in
      service.kind = .balancer
      service.ports[0].nodePort = 30080
      service.externalAddresses = [try IPAddress("203.0.113.9")]
      service.balancerAddresses = [try IPAddress("203.0.113.10")]
      service.externalIsLocal = true
      service.sources = [try Subnet("192.0.2.0/24")]
    }
    let frontends = service.frontends([])
    // Nobody of IPv6 may come from outside, so there is no way in.
    #expect(
      frontends.map { "\($0.place.text) \($0.port) \($0.localOnly) \($0.sources.count)" } == [
        "10.96.0.5 80 false 0", "fd00::5 80 false 0", "203.0.113.9 80 true 1",
        "203.0.113.10 80 true 1", "node IPv4 30080 true 1",
      ])
    var closed = service
    closed.hasNodePorts = false
    #expect(closed.frontends([]).allSatisfy { $0.place != .node(.v4) })
  }

  @Test("lead to the port that the pod calls so, or leave the pod out")
  func namedPort() throws {
    let service = try Self.service { $0.ports[0].target = .name("web") }
    var unnamed = try Self.endpoint(2)
    unnamed.ports = .named([:])
    let frontends = service.frontends([try Self.endpoint(1), unnamed])
    #expect(Self.backends(frontends) == ["10.1.0.1 9000 1 true"])
  }

  @Test("lead to pods that are ready, else to those that end, and to others only on request")
  func readiness() throws {
    let all = [
      try Self.endpoint(1, .notReady), try Self.endpoint(2, .terminating), try Self.endpoint(3),
    ]
    let service = try Self.service()
    #expect(Self.backends(service.frontends(all)) == ["10.1.0.3 8080 1 true"])
    #expect(
      Self.backends(service.frontends(Array(all.prefix(2)))) == ["10.1.0.2 8080 1 true"])
    #expect(Self.backends(service.frontends(Array(all.prefix(1)))) == [])
    let every = try Self.service { $0.includesNotReady = true }
    #expect(Self.backends(every.frontends(all)).count == 3)
    // Where only this node's pods count, they are asked before others.
    let local = try Self.service { $0.internalIsLocal = true }
    let mixed = [try Self.endpoint(2, .terminating), try Self.endpoint(3, local: false)]
    #expect(
      Self.backends(local.frontends(mixed)) == ["10.1.0.3 8080 1 false", "10.1.0.2 8080 1 true"])
  }

  @Test("give pods shares by their own wish, else by their labels, and none to those of share 0")
  func weights() throws {
    let service = try Self.service {
      $0.weights = [
        LabelWeight(pair: .init(key: "track", value: "stable"), weight: 9),
        LabelWeight(pair: .init(key: "track", value: "old"), weight: 0),
      ]
    }
    let frontends = service.frontends([
      try Self.endpoint(1, labels: ["track": "stable"]), try Self.endpoint(2),
      try Self.endpoint(3, labels: ["track": "stable"], weight: 4),
      try Self.endpoint(4, labels: ["track": "old"]),
    ])
    #expect(frontends[0].backends.map(\.weight) == [9, 1, 4])
  }

  @Test("have a pod once, though a slice names it too")
  func twice() throws {
    let slice = EndpointSlice(
      name: "web-1", service: try #require(ServiceName("web")),
      ports: [.init(name: "http", transport: .tcp, number: 8080)],
      endpoints: [
        .init(address: try IPAddress("10.1.0.1"), readiness: .ready, node: "other"),
        .init(address: try IPAddress("10.1.0.7"), readiness: .ready, node: "here"),
      ])
    let endpoints = ServiceEndpoint.all(of: slice, node: "here") + [try Self.endpoint(1)]
    #expect(
      Self.backends(try Self.service().frontends(endpoints)) == [
        "10.1.0.1 8080 1 true", "10.1.0.7 8080 1 true",
      ])
  }

  @Test("do not exist for a service without an address")
  func headless() throws {
    let service = try Self.service {
      $0.isHeadless = true
      $0.clusterAddresses = []
    }
    #expect(service.frontends([try Self.endpoint(1)]).isEmpty)
  }

  /// Who was there, who is there, and in which order.
  struct Order: Sendable, CustomTestStringConvertible {
    let before: [Int]
    let now: [Int]
    let expected: [Int]
    var testDescription: String { "\(before) then \(now)" }
  }

  @Test(
    "keep pods in their places",
    arguments: [
      Order(before: [], now: [3, 1], expected: [3, 1]),
      Order(before: [1, 2, 3], now: [1, 2, 3, 4], expected: [1, 2, 3, 4]),
      Order(before: [1, 2, 3], now: [2, 3], expected: [3, 2]),
      Order(before: [1, 2, 3], now: [1, 2], expected: [1, 2]),
      Order(before: [1, 2, 3], now: [4, 3, 1], expected: [1, 4, 3]),
      Order(before: [1, 2, 3, 4, 5], now: [5, 3], expected: [5, 3]),
      Order(before: [1, 2, 3, 4, 5], now: [2, 4], expected: [4, 2]),
      Order(before: [1, 2], now: [], expected: []),
      Order(before: [1, 2], now: [3, 4, 5], expected: [3, 4, 5]),
    ])
  func order(_ order: Order) throws {
    func backends(_ numbers: [Int]) throws -> [Backend] {
      try numbers.map { Backend(try IPAddress("10.1.0.\($0)"), port: 80) }
    }
    #expect(
      try backends(order.now).arranged(after: backends(order.before)) == backends(order.expected))
  }
}
