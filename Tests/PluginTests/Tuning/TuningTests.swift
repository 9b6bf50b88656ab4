import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("tuning", .needsRoot)
struct TuningTests {
  static let everything: JSONObject = [
    "sysctl": [
      "net.core.somaxconn": "77", "net.ipv4.conf.IFNAME.arp_ignore": "1",
      "net/ipv4/conf/eth0/arp_announce": "2",
    ],
    "mac": "02:0A:00:00:00:99", "promisc": true, "mtu": 1400, "allmulti": true, "txQLen": 333,
  ]

  @Test("changes the interface and the network's settings, and DEL gives the interface back")
  func everything() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(Self.everything)
    let host = try fixture.lab.picture()
    let before = try fixture.pod.picture()
    let born = try #require(try fixture.pod.link())
    let added = try fixture.lab.add(network, fixture.pod)
    try added.succeed()

    let link = try #require(try fixture.pod.link())
    #expect(link.hardwareAddress == "02:0a:00:00:00:99")
    #expect([link.mtu, link.queueLength] == [1400, 333])
    #expect(link.isPromiscuous)
    #expect(link.takesAllMulticast)
    #expect(try fixture.setting("core", "somaxconn") == "77")
    #expect(try fixture.setting("ipv4", "conf", "eth0", "arp_ignore") == "1")
    #expect(try fixture.setting("ipv4", "conf", "eth0", "arp_announce") == "2")
    #expect(
      try fixture.backup() == """
        {
         "mac": "\(born.hardwareAddress)",
         "promisc": false,
         "mtu": 1500,
         "allmulti": false,
         "txQLen": 1000
        }
        """)
    let file = try File.status(of: fixture.directory + "/one_eth0.json")
    #expect(file?.mode == 0o600)
    #expect(try File.status(of: fixture.directory)?.mode == 0o700)
    try fixture.lab.check(network.after(added), fixture.pod).succeed()
    try fixture.lab.expectUnchanged(since: host)

    for _ in 1...3 { try fixture.lab.delete(network, fixture.pod).succeed() }
    #expect(try fixture.files() == [])
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.setting("ipv4", "conf", "eth0", "arp_ignore") == "0")
    #expect(try fixture.setting("ipv4", "conf", "eth0", "arp_announce") == "0")
    // Others in the namespace may rely on what belongs to all of it.
    #expect(try fixture.setting("core", "somaxconn") == "77")
    try fixture.lab.expectUnchanged(since: host)
  }

  @Test("without keys passes the result on, and keeps nothing")
  func nothing() throws {
    let fixture = try TuningFixture()
    let before = try fixture.picture()
    let added = try fixture.lab.add(fixture.network(), fixture.pod)
    #expect(try added.result() == PluginResult(printed: fixture.previous, orElse: .v1_1_0))
    #expect(try fixture.picture() == before)
    try fixture.lab.check(fixture.network(), fixture.pod).succeed()
    try fixture.lab.delete(fixture.network(), fixture.pod).succeed()
    #expect(try fixture.picture() == before)
  }

  @Test("changes nothing in the result but the pod's hardware address, as written, and MTU")
  func result() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(Self.everything)
    let result = try fixture.lab.add(network, fixture.pod).result()
    #expect(
      result.interfaces.map(\.hardwareAddressText) == ["02:00:00:00:00:01", "02:0A:00:00:00:99"])
    #expect(result.interfaces.map(\.mtu) == [nil, 1400])
    #expect(result.addresses.map(\.address.description) == ["10.1.2.3/24"])
    #expect(result.routes.count == 1)
  }

  @Test(
    "answers in the version of the configuration",
    arguments: ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let fixture = try TuningFixture()
    let isOld = version.hasPrefix("0.1") || version.hasPrefix("0.2")
    var previous: JSONObject = ["cniVersion": .string(version)]
    if isOld {
      previous["ip4"] = ["ip": "10.1.2.3/24"]
    } else {
      previous["interfaces"] = [["name": "eth0", "sandbox": .string(fixture.pod.path)]]
      previous["ips"] = [["version": "4", "address": "10.1.2.3/24", "interface": 0]]
    }
    let network = fixture.network([
      "cniVersion": .string(version), "prevResult": .object(previous), "mac": "02:00:00:00:00:99",
    ])
    let document = try fixture.lab.add(network, fixture.pod).document()
    #expect(document["cniVersion"] == .string(version))
    #expect(try fixture.pod.link()?.hardwareAddress == "02:00:00:00:00:99")
    if !isOld {
      let interface = document["interfaces"]?.listValue?.first?.objectValue
      #expect(interface?["mac"] == "02:00:00:00:00:99")
    }
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.files() == [])
  }

  @Test("takes each key from the place that goes before the others")
  func places() throws {
    let fixture = try TuningFixture()
    var network = fixture.network([
      "mac": "02:00:00:00:00:01", "mtu": 1401, "promisc": true, "txQLen": 1,
      "sysctl": ["net.core.somaxconn": "1", "net.ipv4.ip_default_ttl": "11"],
    ])
    func address() throws -> String? {
      let result = try fixture.lab.add(network, fixture.pod).result()
      let address = try fixture.pod.link()?.hardwareAddress
      #expect(result.interfaces[1].hardwareAddressText == address)
      try fixture.lab.delete(network, fixture.pod).succeed()
      return address
    }
    #expect(try address() == "02:00:00:00:00:01")
    network = network.with(arguments: "IgnoreUnknown=1;MAC=02:00:00:00:00:02;K8S_POD_NAME=x")
    #expect(try address() == "02:00:00:00:00:02")
    network = network.with(["RuntimeConfig": ["mac": "02:00:00:00:00:03"]])
    #expect(try address() == "02:00:00:00:00:03")
    network = network.with([
      "args": [
        "cni": [
          "mac": "02:00:00:00:00:04", "mtu": 1404, "promisc": false, "allmulti": true, "txQLen": 4,
          "sysctl": ["net/core/somaxconn": "4", "net.ipv4.conf.IFNAME.arp_ignore": "1"],
        ]
      ]
    ])
    #expect(try address() == "02:00:00:00:00:04")
    try fixture.lab.add(network, fixture.pod).succeed()
    let link = try #require(try fixture.pod.link())
    #expect([link.mtu, link.queueLength] == [1404, 4])
    #expect([link.isPromiscuous, link.takesAllMulticast] == [false, true])
    #expect(try fixture.setting("core", "somaxconn") == "4")
    #expect(try fixture.setting("ipv4", "ip_default_ttl") == "11")
    #expect(try fixture.setting("ipv4", "conf", "eth0", "arp_ignore") == "1")
  }

  @Test("twice in one list gives back what was there before the first")
  func twice() throws {
    let fixture = try TuningFixture()
    let before = try fixture.pod.picture()
    let first = fixture.network(["mtu": 1400, "mac": "02:00:00:00:00:01"])
    let second = fixture.network(["mtu": 1300, "txQLen": 5])
    try fixture.lab.add(first, fixture.pod).succeed()
    try fixture.lab.add(second, fixture.pod).succeed()
    #expect(try fixture.pod.link()?.mtu == 1300)
    for network in [second, first] { try fixture.lab.delete(network, fixture.pod).succeed() }
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.files() == [])
  }

  @Test("keeps its files in upstream's directory unless told otherwise")
  func defaultDirectory() async throws {
    let files = try await OwnMounts.run(emptying: ["/run"]) {
      let fixture = try TuningFixture()
      let network = fixture.network(["dataDir": nil, "mtu": 1400])
      try fixture.lab.add(network, fixture.pod).succeed()
      let during = try TuningFixture.files(below: "/run")
      try fixture.lab.delete(network, fixture.pod).succeed()
      return [during, try TuningFixture.files(below: "/run")]
    }
    #expect(
      files == [["cni/tuning/.swift-cni/net/one_eth0.json", "cni/tuning/one_eth0.json"], []])
  }
}
