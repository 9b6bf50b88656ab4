import Addressing
import JSON
import Netlink
import Nftables
import RulesetWalk
import Services
import TestSupport
import Testing

@testable import OperatorCommands

/// Each trace is compared with what real connections meet.
@Suite("A trace tells of services", .needsRoot)
struct TraceServiceTests {
  /// A lab whose kernel serves some services.
  private final class ServiceLab {
    let lab: TraceLab
    let services: [ResolvedService]

    init(_ make: (TraceLab) throws -> [ResolvedService]) throws {
      lab = try TraceLab(bridge: #""hairpinMode": true,"#)
      // What has no backends is refused only where packets find a way.
      try lab.run("/usr/sbin/ip", "route add 10.96.0.0/16 via 192.0.2.2")
      services = try make(lab)
      try serve()
    }

    func serve(_ cluster: String = "10.1.0.0/16") throws {
      let settings = ServiceTable.Settings(
        cluster: [try Subnet(cluster)], nodeAddresses: [try Subnet("192.0.2.1/32")])
      try lab.host.run {
        try ServiceTable.replace(
          with: services.flatMap(\.frontends), settings,
          on: try NetlinkSocket<NetfilterFamily>())
      }
    }

    func trace(_ source: String, _ destination: String) throws -> TraceStory {
      try lab.trace(source, destination, services: services)
    }

    /// Who hears somebody that connects, again until he is heard.
    func heard(
      from speaker: borrowing FreshNamespace, _ address: String, _ port: UInt16
    ) throws -> String? {
      try Traffic.persist { try strayed(from: speaker, address, port) }
    }

    /// Who hears somebody that connects once.
    func strayed(
      from speaker: borrowing FreshNamespace, _ address: String, _ port: UInt16
    ) throws -> String? {
      let speaker = try Speaker(.tcp, in: speaker, to: address, port: port)
      let heard = try Listener.source(of: speaker, heardBy: [lab.webEar, lab.dbEar])
      return heard.map { ["web", "db"][$0.place] }
    }
  }

  private static func service(
    _ name: String, _ address: String, _ backends: [Backend], nodePort: UInt16? = nil,
    change: (inout Service) -> Void = { _ in }
  ) throws -> ResolvedService {
    var service = Service(try #require(ServiceName(name)), nodePort == nil ? .cluster : .node)
    service.clusterAddresses = [try IPAddress(address)]
    service.ports = [ServicePort("http", .tcp, 80, nodePort: nodePort)]
    service.selector = Selector(["app": "x"])
    change(&service)
    var resolved = ResolvedService(service, file: "x.json")
    resolved.frontends = [
      Frontend(
        .address(try IPAddress(address)), .tcp, port: 80, for: .cluster,
        balancing: service.balancing, localOnly: service.internalIsLocal, backends: backends)
    ]
    if let nodePort {
      resolved.frontends.append(
        Frontend(
          .node(.v4), .tcp, port: nodePort, for: .outside, balancing: service.balancing,
          localOnly: service.externalIsLocal, backends: backends, sources: service.sources))
    }
    return resolved
  }

  private static func backends(_ lab: TraceLab) throws -> [Backend] {
    [
      Backend(try IPAddress("10.1.0.2"), port: lab.webEar.port),
      Backend(try IPAddress("10.1.0.3"), port: lab.dbEar.port, weight: 3),
    ]
  }

  @Test("by their names: who answers, and why he does")
  func byName() throws {
    let place = try ServiceLab { lab in
      [try Self.service("shop/api", "10.96.0.1", try Self.backends(lab), nodePort: 30080)]
    }
    for words in ["shop/api", "shop/api:80", "shop/api:http", "service:shop/api"] {
      let story = try place.trace("shop/web", words)
      #expect(
        story.endings.map { "\($0.share) \($0.ending.place)" }
          == ["1/4 pod shop/web", "3/4 pod shop/db"])
      let text = story.text()
      #expect(text.hasPrefix("host  service: shop/api is asked at 10.96.0.1:80/tcp\n"), "\(text)")
      #expect(
        text.contains(
          "because of service shop/api: pod shop/db is one of 2 endpoints, drawn by chance with a "
            + "share of 3 in 4"), "\(text)")
      #expect(text.contains("because of service shop/api: the pod reaches itself"), "\(text)")
      #expect(!text.contains("swift_cni_services"), "\(text)")
    }
    let heard = try (0..<40).map { _ in
      try place.heard(from: place.lab.web.fresh, "10.96.0.1", 80)
    }
    #expect(Set(heard) == ["web", "db"])
    // From outside at the port of the node, behind whose address the client is hidden.
    let outside = try place.trace("outside:192.0.2.2", "shop/api")
    #expect(outside.text().contains("shop/api is asked at 192.0.2.1:30080/tcp"))
    #expect(outside.text().contains("as externalTrafficPolicy Cluster does"), "\(outside.text())")
    #expect(try place.heard(from: place.lab.outside, "192.0.2.1", 30080) != nil)
    #expect(try place.trace("host", "shop/api:30080").text().contains("asked at 192.0.2.1:30080"))
  }

  @Test("that refuse, since they have no endpoints or not this port")
  func refusals() throws {
    let place = try ServiceLab { lab in
      [
        try Self.service("api", "10.96.0.1", try Self.backends(lab)),
        try Self.service("idle", "10.96.0.2", []),
      ]
    }
    for (words, address, port, why) in [
      (
        "idle", "10.96.0.2", 80,
        "service default/idle: it has no endpoints: no pod that is ready has app=x"
      ),
      ("default/api:81", "10.96.0.1", 81, "service default/api: it has no port 81/tcp, but 80/tcp"),
    ] as [(String, String, UInt16, String)] {
      let story = try place.trace("shop/web", words)
      #expect(story.endings.map(\.ending.kind) == [.refused])
      #expect(story.text().contains("is refused at forward of host by \(why)"), "\(story.text())")
      #expect(story.text().contains("see: cnictl service show default/"))
      #expect(try place.strayed(from: place.lab.web.fresh, address, port) == nil)
    }
    let json = try place.trace("shop/web", "idle").json.objectValue?["ending"]?.objectValue
    #expect(json?["service"] == "default/idle")
  }

  @Test("that answer on their own node alone, or some clients alone")
  func policies() throws {
    let place = try ServiceLab { _ in
      let far = [Backend(try IPAddress("10.9.0.2"), port: 80, isLocal: false)]
      let sources = [try Subnet("198.51.100.0/24")]
      return [
        try Self.service("far", "10.96.0.1", far, nodePort: 30081) {
          $0.internalIsLocal = true
          $0.externalIsLocal = true
        },
        try Self.service("fenced", "10.96.0.2", far, nodePort: 30082) { $0.sources = sources },
      ]
    }
    for (source, words, why) in [
      (
        "shop/web", "far",
        "service default/far: none of its endpoints is on this node, and its internalTrafficPolicy is Local"
      ),
      (
        "outside:192.0.2.2", "far",
        "service default/far: none of its endpoints is on this node, and its externalTrafficPolicy is Local"
      ),
      (
        "outside:192.0.2.2", "fenced",
        "service default/fenced: its loadBalancerSourceRanges do not hold 192.0.2.2"
      ),
    ] {
      let story = try place.trace(source, words)
      #expect(story.endings.map(\.ending.kind) == [.dropped], "\(story.text())")
      #expect(story.text().contains(why), "\(story.text())")
    }
  }

  @Test("that keep a client at its pod: drawn before, the same again after")
  func affinity() throws {
    let place = try ServiceLab { lab in
      let backends = try Self.backends(lab).map { Backend($0.address, port: $0.port) }
      return [
        try Self.service("api", "10.96.0.1", backends) {
          $0.balancing = .clientAffinity(seconds: 600)
        }
      ]
    }
    let before = try place.trace("shop/web", "api")
    #expect(before.endings.count == 2)
    #expect(before.text().contains("kept for this client until it has been away for 600 s"))
    let heard = try #require(try place.heard(from: place.lab.web.fresh, "10.96.0.1", 80))
    let after = try place.trace("shop/web", "api")
    #expect(after.endings.map(\.ending.place) == ["pod shop/\(heard)"])
    #expect(after.text().contains("which this client has had within the last 600 s"))
    #expect(try place.heard(from: place.lab.web.fresh, "10.96.0.1", 80) == heard)
  }

  @Test("that the kernel has lost, and says what helps")
  func lost() throws {
    let place = try ServiceLab { lab in
      [try Self.service("api", "10.96.0.1", try Self.backends(lab))]
    }
    try place.lab.run("/usr/sbin/nft", "delete table ip swift_cni_services")
    let story = try place.trace("shop/web", "api")
    #expect(story.text().contains("make them anew with: cnictl service apply"), "\(story.text())")
    #expect(try place.strayed(from: place.lab.web.fresh, "10.96.0.1", 80) == nil)
  }

  @Test("and refuses names that mean nothing or two things")
  func names() throws {
    let place = try ServiceLab { lab in
      [
        try Self.service("shop/web", "10.96.0.1", try Self.backends(lab)),
        try Self.service("none", "10.96.0.2", []) { $0.isHeadless = true },
        try Self.service("udp", "10.96.0.3", []) { $0.ports[0].transport = .udp },
      ]
    }
    for (words, why) in [
      ("shop/web", "is a pod and a service"), ("none", "is headless"),
      ("udp:dns", "has no port dns"),
      ("service:shop/db", "is no service of this node"), ("pod:udp", "is no pod of this node"),
      ("nowhere", "is neither an address nor a pod nor a service"),
    ] {
      #expect {
        try place.trace("host", words)
      } throws: {
        "\($0)".contains(why)
      }
    }
    #expect(try place.trace("host", "pod:shop/web").text().contains("reaches pod shop/web"))
    #expect(try place.trace("host", "udp").text().contains("asked at 10.96.0.3:80/udp"))
  }
}
