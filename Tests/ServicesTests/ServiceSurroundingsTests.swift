import Addressing
import Linux
import Netlink
import Synchronization
import TestSupport
import Testing

@testable import Services

/// What a node's services take from around them: its links, the flat network, its uplink.
@Suite("The surroundings of services")
struct ServiceSurroundingsTests {
  typealias Fixture = ServiceNodeTests.Fixture

  @Test("are asked once for each pod, and followed when they change")
  func outlook() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    _ = try fixture.node.attach(try fixture.pod(1))
    let before = fixture.plane.state.withLock { $0.questions }
    #expect(try fixture.node.attach(try fixture.pod(2)) == nil)
    #expect(
      fixture.plane.state.withLock { $0.questions } == before,
      "the tables are looked at by whoever changes them")
    fixture.plane.state.withLock { $0.exits = "3 198.51.100.7, -" }
    let report = try #require(try fixture.node.attach(try fixture.pod(3)))
    #expect(!report.isRebuilt)
    #expect(fixture.plane.backends(port: 80) == ["10.1.0.1", "10.1.0.2", "10.1.0.3"])
    #expect(try fixture.node.attach(try fixture.pod(4)) == nil)
    // Ways to services are made where they are lacking.
    let range = try Subnet("10.96.0.0/16")
    fixture.plane.state.withLock { $0.unreachable = [range] }
    #expect(try fixture.node.attach(try fixture.pod(5)) == nil)
    #expect(fixture.plane.state.withLock { $0.unreachable } == [])
    // A pod that nobody selects brings lost tables back, too.
    fixture.plane.flush()
    #expect(try fixture.node.attach(try fixture.pod(6, app: "none"))?.isRebuilt == true)
  }

  @Test("tell which networks are its pods', unless the settings do")
  func flatNetwork() throws {
    let fixture = try Fixture()
    try fixture.define("web")
    func ranges() -> [String] {
      fixture.plane.state.withLock { $0.settings.podRanges.map(\.description) }
    }
    _ = try fixture.node.attach(try fixture.pod(1))
    #expect(ranges() == [])
    try fixture.directory.write(
      "run/subnet.json",
      """
      {"node": "a", "cluster": ["10.5.0.0/16", "fd05::/48"], "subnets": ["10.5.1.0/24"],
       "mtu": 1450, "backend": "vxlan", "devices": ["flannel.1"], "masquerade": true}
      """)
    #expect(try fixture.node.attach(try fixture.pod(2))?.isRebuilt == false)
    #expect(ranges() == ["10.5.1.0/24"])
    #expect(try fixture.node.attach(try fixture.pod(3)) == nil)
    #expect(try !fixture.node.apply().isRebuilt)
    try fixture.directory.write("services.json", #"{"podRanges": ["10.6.0.0/16"]}"#)
    _ = try fixture.node.apply()
    #expect(ranges() == ["10.6.0.0/16"])
    try fixture.directory.write("services.json", "{}")
    try fixture.directory.write("run/subnet.json", #"{"subnets": [7]}"#)
    let report = try fixture.node.apply()
    #expect(report.notices.count == 1 && report.notices[0].contains("run/subnet.json: subnets"))
    #expect(ranges() == [] && report.services == 1)
    try File.remove(fixture.directory.path("run/subnet.json"))
    #expect(try fixture.node.apply().notices == [])
  }

  @Test("get the addresses of balancers that answer, and tell what stands in their way")
  func balancers() throws {
    let fixture = try Fixture()
    func define(_ more: String) throws {
      try fixture.directory.write(
        "services.d/lb.json",
        """
        {"apiVersion":"v1","kind":"Service","metadata":{"name":"lb"},"spec":{"type":"LoadBalancer",
         "ports":[{"port":80}],"selector":{"app":"web"},"ipFamilyPolicy":"RequireDualStack",
         "externalIPs":["203.0.113.9"] \(more)}}
        """)
    }
    func settings(_ more: String = "") throws {
      try fixture.directory.write(
        "services.json",
        """
        {"loadBalancerPool":["198.51.100.8/32","2001:db8::8/128"],
         "externalAddresses":["203.0.113.0/24"] \(more)}
        """)
    }
    func served() throws -> [String] {
      try #require(fixture.plane.state.withLock { $0.served }).wanted.map(\.description).sorted()
    }
    try settings()
    try define("")
    fixture.plane.state.withLock { $0.obstacles = ["there is no uplink"] }
    #expect(try fixture.node.apply().notices == ["there is no uplink"])
    #expect(try served() == ["198.51.100.8", "2001:db8::8"], "externalIPs are others' business")
    #expect(fixture.plane.state.withLock { $0.served?.announcesAll } == true)
    #expect(fixture.plane.state.withLock { $0.served?.link } == nil)
    // Nobody may use an address of a family that no source is of, so it is not there either.
    try define(#","loadBalancerSourceRanges":["192.0.2.0/24"]"#)
    _ = try fixture.node.attach(try fixture.pod(1))
    #expect(try served() == ["198.51.100.8"])
    #expect(fixture.plane.state.withLock { $0.served?.announcesAll } == false)
    try settings(#","loadBalancerUplink":"eth1""#)
    _ = try fixture.node.apply()
    #expect(fixture.plane.state.withLock { $0.served?.link } == (try InterfaceName("eth1")))
    try settings(#","loadBalancerUplink":"none""#)
    _ = try fixture.node.apply()
    #expect(try served() == [])
    #expect(fixture.plane.backends(port: 80) != nil, "it is served all the same")
    try settings()
    try File.remove(fixture.directory.path("services.d/lb.json"))
    _ = try fixture.node.apply()
    #expect(try served() == [])
    for name in ["a/b", "a name that is too long", "."] {
      try settings(#","loadBalancerUplink":"\#(name)""#)
      let refusal = try #require(try fixture.node.apply().refusals.first)
      #expect(refusal.path == "loadBalancerUplink" && refusal.remedy.contains("eth0"))
    }
  }
}
