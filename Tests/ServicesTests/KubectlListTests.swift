import Addressing
import Linux
import Synchronization
import TestSupport
import Testing

@testable import Services

/// `kubectl get services,endpointslices -A -o json` of a cluster with everything that an API server of
/// version 1.34 fills in.
@Suite("A list of all that a cluster has")
struct KubectlListTests {
  private static func node() throws -> ServiceNodeTests.Fixture {
    let fixture = try ServiceNodeTests.Fixture()
    let here = #filePath
    let folder = here[..<(here.lastIndex(of: "/") ?? here.endIndex)]
    let list = try File.read("\(folder)/Goldens/kubectl-get-all.json", limit: 1 << 20)
    try fixture.directory.write("services.d/all.json", String(decoding: list, as: UTF8.self))
    try fixture.directory.write("services.json", #"{"loadBalancerPool": ["203.0.113.8/32"]}"#)
    return fixture
  }

  @Test(
    "is taken but for what cannot be, each of which is refused alone, with a reason and a remedy")
  func admission() throws {
    let fixture = try Self.node()
    let report = try fixture.node.apply()
    #expect(
      try fixture.node.services().map(\.service.name.description) == [
        "data/legacy", "data/postgres", "default/kubernetes", "kube-system/kube-dns", "shop/cart",
        "shop/signal", "shop/web",
      ])
    let refused = report.refusals.map { "\($0.object) \($0.path)" }.sorted()
    #expect(
      refused == [
        "Service shop/payments items[8].spec.type", "Service shop/search spec.clusterIPs",
        "Service shop/tailnet items[7].spec.loadBalancerClass",
      ])
    #expect(report.refusals.allSatisfy { !$0.reason.isEmpty && !$0.remedy.isEmpty })
    #expect(report.refusals.allSatisfy { $0.file == "all.json" })
    #expect(report.notices.count == 1)
    #expect(report.notices.first?.contains("Service shop/web: spec.healthCheckNodePort") == true)
    #expect(report.notices.first?.contains("32477") == true)
  }

  @Test("answers where the cluster does")
  func frontends() throws {
    let fixture = try Self.node()
    _ = try fixture.node.apply()
    let places = fixture.plane.state.withLock { $0.frontends.keys.map(\.description).sorted() }
    #expect(
      places == [
        "10.96.0.1 tcp port 443", "10.96.0.10 tcp port 53", "10.96.0.10 tcp port 9153",
        "10.96.0.10 udp port 53", "10.96.17.3 tcp port 80", "10.96.22.9 tcp port 443",
        "10.96.22.9 udp port 443", "10.96.40.1 sctp port 5061", "203.0.113.8 tcp port 443",
        "203.0.113.8 udp port 443", "fd5c:86d1:2a4e:96::2209 tcp port 443",
        "fd5c:86d1:2a4e:96::2209 udp port 443", "node IPv4 tcp port 31080",
        "node IPv4 tcp port 31443", "node IPv4 udp port 31443", "node IPv6 tcp port 31443",
        "node IPv6 udp port 31443",
      ])
    func frontend(_ text: String) throws -> Frontend {
      try #require(
        fixture.plane.state.withLock { $0.frontends }.first { "\($0.key)" == text }?.value)
    }
    // The API server's own service has no selector: a slice says who answers.
    let apiServer = try frontend("10.96.0.1 tcp port 443")
    #expect(apiServer.backends.map { "\($0.address) \($0.port)" } == ["172.16.0.10 6443"])
    #expect(try frontend("10.96.17.3 tcp port 80").balancing == .clientAffinity(seconds: 10_800))
    #expect(try frontend("10.96.40.1 sctp port 5061").localOnly)
    let outside = try frontend("203.0.113.8 tcp port 443")
    #expect(outside.localOnly && outside.ownsAddress)
    #expect(outside.sources == [try Subnet("192.0.2.0/24")])
    #expect(try !frontend("node IPv4 tcp port 31080").localOnly)
    // Another pool and other names of pods are no reason to refuse: pods come as they do elsewhere.
    var pod = try fixture.pod(1, app: "web")
    var identity = PodIdentity(namespace: "shop")
    try identity.add(labels: ["app": "web"], from: "test")
    identity.ports = ["https": 8443]
    pod = EndpointFile(pod.owner, identity, addresses: pod.addresses)
    #expect(try fixture.node.attach(pod) == nil)
    #expect(try frontend("203.0.113.8 udp port 443").backends.map(\.port) == [8443])
  }
}
