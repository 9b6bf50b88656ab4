import Addressing
import Testing

@testable import Services

@Suite("The files of services and endpoints")
struct StoredFormTests {
  static func resolved() throws -> ResolvedService {
    let service = try ServiceFrontendTests.service { service in
      service.kind = .balancer
      service.ports[0].nodePort = 30080
      service.ports[0].target = .name("web")
      service.balancerAddresses = [
        try IPAddress("203.0.113.8"), try IPAddress("2001:db8::8"),
      ]
      service.sources = [try Subnet("192.0.2.0/24")]
      service.balancing = .clientAffinity(seconds: 30)
      service.externalIsLocal = true
      service.selector = Selector(["app": "web"])
    }
    var resolved = ResolvedService(service, file: "web.json")
    resolved.endpoints = [
      try ServiceFrontendTests.endpoint(1, labels: ["app": "web"], weight: 3),
      try ServiceFrontendTests.endpoint(2, .notReady, local: false),
      ServiceEndpoint(
        origin: .slice("web-1"), addresses: [try IPAddress("10.2.0.1")],
        ports: .ofService([.init(name: "http", transport: .tcp, number: 8080)]), weight: nil,
        isLocal: false, readiness: .terminating, labels: [:]),
    ]
    resolved.settle()
    return resolved
  }

  @Test("read the same as they were written")
  func roundTrip() throws {
    let resolved = try Self.resolved()
    #expect(!resolved.frontends.isEmpty && resolved.frontends.contains { !$0.backends.isEmpty })
    #expect(try ResolvedService(parsing: resolved.bytes) == resolved)

    let owner = try #require(
      EndpointOwner(network: "pods", container: "a-b.c", interface: "eth-0"))
    var identity = PodIdentity(namespace: "shop", name: "web-1")
    try identity.add(labels: ["app": "web"], from: "test")
    try identity.add(ports: ["http": "8080"], from: "test")
    try identity.add(weight: "4", from: "test")
    let file = EndpointFile(
      owner, identity, addresses: [try IPAddress("10.1.0.1"), try IPAddress("fd00::1")],
      services: [try #require(ServiceName("shop/web"))])
    #expect(try EndpointFile(parsing: file.bytes) == file)
  }

  @Test("are damaged when a byte is missing, whichever it is")
  func damage() throws {
    let bytes = try Self.resolved().bytes
    for end in 0..<bytes.count {
      #expect(throws: DamagedFile.self) { try ResolvedService(parsing: Array(bytes[..<end])) }
    }
  }

  @Test("never share a name, and never leave their directory")
  func names() throws {
    func name(_ container: String, _ interface: String) -> String? {
      EndpointOwner(network: "pods", container: container, interface: interface)?.fileName
    }
    #expect(name("4f00", "eth0") == "4f00-eth0.json")
    #expect(name("a-b", "c") != name("a", "b-c"))
    #expect(name("a", "b-c") == "a-b%2dc.json")
    for bad in ["", ".", "..", "a/b", "a b", "a\n", ".hidden"] {
      #expect(name(bad, "eth0") == nil)
      #expect(name("a", bad) == nil)
      #expect(EndpointOwner(network: bad, container: "a", interface: "eth0") == nil)
    }
    #expect(ServiceName(namespace: "a", name: "b")?.fileName == "a.b.json")
    for bad in ["", "A", "a.b", "-a", "a-", "a/b", String(repeating: "a", count: 64)] {
      #expect(ServiceName(namespace: "default", name: bad) == nil)
    }
  }
}

@Suite("Who a pod is")
struct PodIdentityTests {
  @Test("is told by annotations and labels, the later ones first")
  func sources() throws {
    var identity = PodIdentity(namespace: "shop")
    identity.add(own: "network", "pods")
    try identity.add(labels: ["app": "old", "tier": "front"], from: "args")
    try identity.add(annotations: [
      "swift-cni.dev/labels": "app=web, track=stable", "swift-cni.dev/ports": "http=8080",
      "swift-cni.dev/weight": "7", "example.com/other": "anything",
    ])
    #expect(
      identity.labels == [
        "swift-cni.dev/network": "pods", "app": "web", "tier": "front", "track": "stable",
      ])
    #expect(identity.ports == ["http": 8080])
    #expect(identity.weight == 7)
  }

  @Test("does not let a pod claim what only we may say")
  func ours() throws {
    var identity = PodIdentity()
    #expect(throws: IdentityFault.self) {
      try identity.add(labels: ["swift-cni.dev/network": "other"], from: "args")
    }
    #expect(throws: IdentityFault.self) {
      try identity.add(annotations: ["swift-cni.dev/labels": "swift-cni.dev/network=other"])
    }
    #expect(identity.labels.isEmpty)
  }

  @Test(
    "is refused where it cannot be read",
    arguments: [
      ["swift-cni.dev/labels": "app"], ["swift-cni.dev/labels": "app=web,app=web"],
      ["swift-cni.dev/labels": "a b=c"], ["swift-cni.dev/ports": "http=0"],
      ["swift-cni.dev/ports": "http=x"], ["swift-cni.dev/ports": "http=70000"],
      ["swift-cni.dev/weight": "101"], ["swift-cni.dev/weight": "-1"],
    ])
  func refused(_ annotations: [String: String]) {
    var identity = PodIdentity()
    #expect(throws: IdentityFault.self) { try identity.add(annotations: annotations) }
  }

  @Test("decides which services it belongs to, in its own namespace only")
  func selected() throws {
    var service = Service(try #require(ServiceName("shop/web")))
    service.selector = Selector(["app": "web", "tier": "front"])
    var pod = PodIdentity(namespace: "shop")
    #expect(!pod.isSelected(by: service))
    try pod.add(labels: ["app": "web", "tier": "front", "more": "x"], from: "test")
    #expect(pod.isSelected(by: service))
    pod.namespace = "other"
    #expect(!pod.isSelected(by: service))
    service.selector = Selector([:])
    pod.namespace = "shop"
    #expect(!pod.isSelected(by: service))
  }
}

@Suite("The settings of services")
struct ServiceSettingsTests {
  static func settings(_ text: String) throws -> ServiceSettings {
    try ServiceSettings(Array(text.utf8), file: "services.json")
  }

  @Test("have their usual values where nothing is said")
  func usual() throws {
    #expect(try Self.settings("{}") == ServiceSettings())
    #expect(ServiceSettings().nodePorts == 30000...32767)
    #expect(ServiceSettings().serviceRanges.map(\.family) == [.v4, .v6])
  }

  @Test("are read")
  func all() throws {
    let settings = try Self.settings(
      """
      {"serviceRanges": ["fd00:96::/112", "10.1.0.0/20"], "nodePorts": "31000-31099",
       "nodePortAddresses": ["192.0.2.0/24"], "podRanges": ["10.86.0.0/16"],
       "externalAddresses": ["203.0.113.0/24"], "loadBalancerPool": ["203.0.113.8/29"],
       "nodeName": "node-a"}
      """)
    #expect(settings.serviceRanges.map(\.family) == [.v6, .v4])
    #expect(settings.nodePorts == 31000...31099)
    #expect(settings.nodePortAddresses == [try Subnet("192.0.2.0/24")])
    #expect(settings.podRanges == [try Subnet("10.86.0.0/16")])
    #expect(settings.externalAddresses == [try Subnet("203.0.113.0/24")])
    #expect(settings.balancerPool == [try Subnet("203.0.113.8/29")])
    #expect(settings.nodeName == "node-a")
  }

  @Test(
    "are refused with the key",
    arguments: [
      (#"{"serviceRange": []}"#, "serviceRange"),
      (#"{"serviceRanges": ["10.1.0.0"]}"#, "serviceRanges"),
      (#"{"serviceRanges": ["10.1.0.0/16", "10.2.0.0/16"]}"#, "serviceRanges"),
      (#"{"serviceRanges": ["10.1.0.0/31"]}"#, "serviceRanges"),
      (#"{"nodePorts": "80"}"#, "nodePorts"),
      (#"{"nodePorts": "90-80"}"#, "nodePorts"), (#"{"nodePorts": "0-80"}"#, "nodePorts"),
      (#"{"loadBalancerPool": "203.0.113.8/29"}"#, "loadBalancerPool"), ("[]", ""), ("{", ""),
    ])
  func refused(_ text: String, _ path: String) {
    do {
      _ = try Self.settings(text)
      Issue.record("it was taken")
    } catch let refusal as ServiceRefusal {
      #expect(refusal.path == path)
      #expect(refusal.file == "services.json")
    } catch {
      Issue.record(error)
    }
  }
}
