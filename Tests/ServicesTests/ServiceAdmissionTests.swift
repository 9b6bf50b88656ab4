import Addressing
import Testing

@testable import Services

@Suite("The admission of services")
struct ServiceAdmissionTests {
  static func settings(_ change: (inout ServiceSettings) throws -> Void = { _ in }) throws
    -> ServiceSettings
  {
    var settings = ServiceSettings()
    settings.serviceRanges = [try Subnet("10.96.0.0/16"), try Subnet("fd00:96::/112")]
    try change(&settings)
    return settings
  }

  /// Definitions by file name; `settled` is what an earlier admission came to.
  static func admit(
    _ files: [(String, String, String)], after settled: ServiceAdmission? = nil,
    _ settings: ServiceSettings
  ) -> ServiceAdmission {
    let former = Dictionary(
      (settled?.admitted ?? []).map {
        ($0.service.name, ResolvedService($0.service, file: $0.file))
      }
    ) { $1 }
    return ServiceAdmission(
      files.map { ServiceDocument(spec: $0.2, name: $0.1, file: $0.0) }, former: former,
      ledger: ServiceLedger((settled?.admitted ?? []).map(\.service)), settings)
  }

  static let plain = #"{"ports":[{"port":80}]}"#
  static let node = #"{"type":"NodePort","ports":[{"port":80}]}"#

  @Test("gives an address of the range, the same on every node and at every time")
  func gives() throws {
    let settings = try Self.settings()
    let first = Self.admit(
      [("a.json", "one", Self.plain), ("b.json", "two", Self.plain)], settings)
    #expect(first.refusals.isEmpty)
    let addresses = first.admitted.map(\.service.clusterAddresses)
    #expect(addresses.allSatisfy { $0.count == 1 && settings.serviceRanges[0].contains($0[0]) })
    #expect(addresses[0] != addresses[1])
    // Another order, another node, nothing remembered.
    let other = Self.admit(
      [("b.json", "two", Self.plain), ("a.json", "one", Self.plain)], settings)
    #expect(other.admitted.map(\.service.clusterAddresses) == addresses.reversed())
    let again = Self.admit(
      [("b.json", "two", Self.plain), ("c.json", "one", Self.plain)], after: first, settings)
    #expect(again.admitted.map(\.service.clusterAddresses) == addresses.reversed())
  }

  @Test("gives both families where a service wants them")
  func families() throws {
    let settings = try Self.settings()
    func families(_ spec: String, _ settings: ServiceSettings) -> [IPFamily]? {
      Self.admit([("a.json", "one", spec)], settings).admitted.first?.service.clusterAddresses
        .map(\.family)
    }
    #expect(families(Self.plain, settings) == [.v4])
    #expect(families(#"{"ports":[{"port":80}],"ipFamilies":["IPv6"]}"#, settings) == [.v6])
    #expect(
      families(#"{"ports":[{"port":80}],"ipFamilies":["IPv6","IPv4"]}"#, settings) == [.v6, .v4])
    #expect(
      families(#"{"ports":[{"port":80}],"ipFamilyPolicy":"PreferDualStack"}"#, settings)
        == [.v4, .v6])
    #expect(
      families(
        #"{"ports":[{"port":80}],"clusterIP":"fd00:96::7","ipFamilyPolicy":"RequireDualStack"}"#,
        settings) == [.v6, .v4])
    let single = try Self.settings { $0.serviceRanges = [try Subnet("10.96.0.0/16")] }
    #expect(
      families(#"{"ports":[{"port":80}],"ipFamilyPolicy":"PreferDualStack"}"#, single) == [.v4])
    #expect(
      families(#"{"ports":[{"port":80}],"ipFamilyPolicy":"RequireDualStack"}"#, single) == nil)
    #expect(families(#"{"ports":[{"port":80}],"ipFamilies":["IPv6"]}"#, single) == nil)
  }

  @Test("refuses an address or port that another holds, and names the holder")
  func collisions() throws {
    let settings = try Self.settings { $0.externalAddresses = [try Subnet("203.0.113.0/24")] }
    let cases = [
      (#"{"ports":[{"port":80}],"clusterIP":"10.96.0.7"}"#, "spec.clusterIPs"),
      (
        #"{"type":"NodePort","ports":[{"port":80,"nodePort":30007}]}"#,
        "spec.ports[0].nodePort"
      ),
      (#"{"ports":[{"port":80}],"externalIPs":["203.0.113.7"]}"#, "spec.externalIPs"),
    ]
    for (spec, path) in cases {
      let admission = Self.admit([("a.json", "one", spec), ("b.json", "two", spec)], settings)
      #expect(admission.admitted.map(\.service.name.name) == ["one"])
      let refusal = try #require(admission.refusals.first)
      #expect(refusal.path == path && refusal.file == "b.json")
      #expect(refusal.reason.contains("default/one"), "\(refusal)")
    }
    // Another port of an address that others lead here is free.
    let shared = Self.admit(
      [
        ("a.json", "one", #"{"ports":[{"port":80}],"externalIPs":["203.0.113.7"]}"#),
        ("b.json", "two", #"{"ports":[{"port":81}],"externalIPs":["203.0.113.7"]}"#),
      ], settings)
    #expect(shared.refusals.isEmpty)
  }

  @Test("lets nobody take what another was given before, whatever the order")
  func firstComeFirstServed() throws {
    let settings = try Self.settings()
    let first = Self.admit([("b.json", "given", Self.node)], settings)
    let service = try #require(first.admitted.first?.service)
    let port = try #require(service.ports[0].nodePort)
    let thief = """
      {"type":"NodePort","clusterIP":"\(service.clusterAddresses[0])","ports":[{"port":80}]}
      """
    let second = Self.admit(
      [("a.json", "thief", thief), ("b.json", "given", Self.node)], after: first, settings)
    #expect(second.admitted.map(\.service) == [service])
    #expect(second.refusals.first?.reason.contains("default/given") == true)
    let third = Self.admit(
      [
        ("a.json", "thief", #"{"type":"NodePort","ports":[{"port":80,"nodePort":\#(port)}]}"#),
        ("b.json", "given", Self.node),
      ], after: first, settings)
    #expect(third.admitted.map(\.service) == [service])
    // When the holder goes, what it had is free.
    let fourth = Self.admit([("a.json", "thief", thief)], after: first, settings)
    #expect(fourth.admitted.map(\.service.name.name) == ["thief"])
  }

  @Test("refuses the second of two of one name, and says where the first is")
  func duplicates() throws {
    let admission = Self.admit(
      [("a.json", "one", Self.plain), ("b.json", "one", Self.node)], try Self.settings())
    #expect(admission.admitted.map(\.file) == ["a.json"])
    #expect(admission.refusals.first?.reason.contains("a.json") == true)
    #expect(admission.refusals.first?.file == "b.json")
  }

  /// What the settings do not allow.
  struct Outside: Sendable, CustomTestStringConvertible {
    let spec: String
    let path: String
    var testDescription: String { path }
  }

  @Test(
    "refuses what the settings do not allow (CVE-2020-8554, S09)",
    arguments: [
      Outside(spec: #"{"ports":[{"port":80}],"clusterIP":"10.1.0.1"}"#, path: "spec.clusterIPs"),
      Outside(
        spec: #"{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}"#,
        path: "spec.ports[0].nodePort"),
      Outside(
        spec: #"{"ports":[{"port":80}],"externalIPs":["198.51.100.1"]}"#, path: "spec.externalIPs"),
      Outside(
        spec: #"{"type":"LoadBalancer","loadBalancerIP":"198.51.100.1","ports":[{"port":80}]}"#,
        path: "spec.loadBalancerIP"),
    ])
  func notAllowed(_ outside: Outside) throws {
    let admission = Self.admit([("a.json", "one", outside.spec)], try Self.settings())
    #expect(admission.admitted.isEmpty)
    #expect(admission.refusals.map(\.path) == [outside.path])
    #expect(admission.refusals.first?.remedy.contains("settings") == true)
  }

  @Test("keeps a service as it was when its definition becomes bad or cannot be read")
  func keepsFormer() throws {
    let settings = try Self.settings()
    let first = Self.admit(
      [("a.json", "one", Self.node), ("b.json", "two", Self.plain)], settings)
    let bad = Self.admit(
      [("a.json", "one", #"{"ports":[]}"#), ("b.json", "two", Self.plain)], after: first, settings)
    #expect(Set(bad.admitted.map(\.service)) == Set(first.admitted.map(\.service)))
    #expect(bad.refusals.count == 1)
    // A refusal at admission rather than reading.
    let taken = Self.admit(
      [
        ("a.json", "one", #"{"ports":[{"port":80}],"clusterIP":"192.0.2.1"}"#),
        ("b.json", "two", Self.plain),
      ], after: first, settings)
    #expect(Set(taken.admitted.map(\.service)) == Set(first.admitted.map(\.service)))
    let broken = ServiceAdmission(
      [ServiceDocument(text: "{", file: "a.json")],
      former: Dictionary(
        first.admitted.map { ($0.service.name, ResolvedService($0.service, file: $0.file)) }
      ) { $1 }, ledger: ServiceLedger(first.admitted.map(\.service)), settings)
    #expect(broken.admitted.map(\.service.name.name) == ["one"])
    #expect(broken.admitted.first?.service == first.admitted.first?.service)
  }

  @Test("refuses when a range is full, and gives again what has come back")
  func full() throws {
    let settings = try Self.settings {
      $0.serviceRanges = [try Subnet("10.96.0.0/30")]
      $0.nodePorts = 30000...30000
      $0.balancerPool = [try Subnet("203.0.113.8/32")]
    }
    let first = Self.admit(
      ["one", "two", "three"].map { ("\($0).json", $0, Self.plain) }, settings)
    #expect(
      Set(first.admitted.flatMap(\.service.clusterAddresses)) == [
        try IPAddress("10.96.0.1"), try IPAddress("10.96.0.2"),
      ])
    #expect(first.refusals.first?.reason.contains("full") == true)
    let second = Self.admit(
      [("two.json", "two", Self.plain), ("three.json", "three", Self.plain)], after: first, settings
    )
    #expect(second.refusals.isEmpty && second.admitted.count == 2)
    let ports = Self.admit(
      [("a.json", "one", Self.node), ("b.json", "two", Self.node)], settings)
    #expect(ports.admitted.count == 1)
    #expect(ports.refusals.first?.path == "spec.ports[0].nodePort")
    let pool = Self.admit(
      ["one", "two"].map {
        (
          "\($0).json", $0,
          #"{"type":"LoadBalancer","allocateLoadBalancerNodePorts":false,"ports":[{"port":80}]}"#
        )
      }, settings)
    #expect(pool.admitted.first?.service.balancerAddresses == [try IPAddress("203.0.113.8")])
    #expect(pool.refusals.count == 1)
  }

  @Test("forgets what the settings no longer allow")
  func settingsChange() throws {
    let first = Self.admit([("a.json", "one", Self.node)], try Self.settings())
    let other = try Self.settings {
      $0.serviceRanges = [try Subnet("10.97.0.0/16")]
      $0.nodePorts = 31000...31999
    }
    let second = Self.admit([("a.json", "one", Self.node)], after: first, other)
    let service = try #require(second.admitted.first?.service)
    #expect(try Subnet("10.97.0.0/16").contains(service.clusterAddresses[0]))
    #expect(31000...31999 ~= (service.ports[0].nodePort ?? 0))
  }

  @Test("remembers in a file that reads the same again")
  func ledgerFile() throws {
    let admission = Self.admit(
      [("a.json", "one", Self.node), ("b.json", "two", Self.plain)], try Self.settings())
    let ledger = ServiceLedger(admission.admitted.map(\.service))
    #expect(try ServiceLedger(parsing: ledger.bytes) == ledger)
    for damaged in ["", "{", "[]", #"{"x y":{}}"#, #"{"default/one":{"clusterIPs":["x"]}}"#] {
      #expect(throws: DamagedFile.self) { try ServiceLedger(parsing: Array(damaged.utf8)) }
    }
  }
}
