import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A key of tuning's sysctl", .needsRoot)
struct TuningKeyTests {
  /// A way to write `arp_ignore` of an interface.
  struct Case: Sendable, CustomTestStringConvertible {
    let interface: String
    let key: String
    var testDescription: String { "\(key) for \(interface)" }
  }

  static let cases = [
    Case(interface: "eth0", key: "net.ipv4.conf.eth0.arp_ignore"),
    Case(interface: "eth0", key: "net/ipv4/conf/eth0/arp_ignore"),
    Case(interface: "eth0", key: "net.ipv4.conf.IFNAME.arp_ignore"),
    Case(interface: "eth0", key: "net/ipv4/conf/IFNAME/arp_ignore"),
    Case(interface: "eth0.1", key: "net.ipv4.conf.IFNAME.arp_ignore"),
    Case(interface: "eth0.1", key: "net/ipv4/conf/IFNAME/arp_ignore"),
    Case(interface: "eth0.1", key: "net/ipv4/conf/eth0.1/arp_ignore"),
    Case(interface: "eth0.1", key: "net.ipv4.conf.eth0/1.arp_ignore"),
    Case(interface: "eth0.1", key: "net.ipv4.conf.eth0.1.arp_ignore"),
    Case(interface: "a.b..c", key: "net.ipv4.conf.a.b..c.arp_ignore"),
    Case(interface: "IFNAME", key: "net.ipv4.conf.IFNAME.arp_ignore"),
    Case(interface: "ä-ö", key: "net.ipv4.conf.ä-ö.arp_ignore"),
  ]

  @Test("reaches the setting it names", arguments: cases)
  func reaches(_ example: Case) throws {
    let fixture = try TuningFixture(interface: example.interface)
    let sysctl = JSONObject(members: [JSONMember(example.key, "1")])
    let network = fixture.network(["sysctl": .object(sysctl)])
    let added = try fixture.lab.add(network, fixture.pod)
    try added.succeed()
    #expect(try fixture.setting("ipv4", "conf", example.interface, "arp_ignore") == "1")
    #expect(try fixture.setting("ipv4", "conf", "all", "arp_ignore") == "0")
    try fixture.lab.check(network, fixture.pod).succeed()
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.setting("ipv4", "conf", example.interface, "arp_ignore") == "0")
    #expect(try fixture.files() == [])
  }

  @Test("never reaches the host's setting of the same name")
  func namespace() throws {
    let fixture = try TuningFixture()
    let before = try fixture.lab.setting("core", "somaxconn")
    let network = fixture.network(["sysctl": ["net.core.somaxconn": "79"]])
    try fixture.lab.add(network, fixture.pod).succeed()
    #expect(try fixture.lab.setting("core", "somaxconn") == before)
    #expect(try fixture.setting("core", "somaxconn") == "79")
  }

  @Test("takes words as the kernel prints them, whatever is between them")
  func words() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["sysctl": ["net.ipv4.ip_local_port_range": "2000 3000"]])
    try fixture.lab.add(network, fixture.pod).succeed()
    #expect(try fixture.setting("ipv4", "ip_local_port_range") == "2000\t3000")
    try fixture.lab.check(network, fixture.pod).succeed()
  }
}
