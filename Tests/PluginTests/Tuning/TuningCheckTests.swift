import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("CHECK and STATUS of tuning", .needsRoot)
struct TuningCheckTests {
  static let damages = [
    DamagingLine(
      command: "link set eth0 address 02:00:00:00:00:01",
      says: "Error: Tuning configured Ethernet of eth0 is 02:0a:00:00:00:99, current value is "
        + "02:00:00:00:00:01"),
    DamagingLine(
      command: "link set eth0 mtu 1300",
      says: "Error: Tuning configured MTU of eth0 is 1400, current value is 1300"),
    DamagingLine(
      command: "link set eth0 promisc off",
      says: "Error: Tuning link eth0 configured promisc is true, current value is 0"),
    DamagingLine(
      command: "link set eth0 allmulticast off",
      says: "Error: Tuning configured all-multicast mode of eth0 is true, current value is false"),
    DamagingLine(
      command: "link set eth0 txqueuelen 9",
      says: "Error: Tuning configured Transmit Queue Length of eth0 is 333, current value is 9"),
    DamagingLine(
      command: "link del eth0", says: "there is no /proc/sys/net/ipv4/conf/eth0/arp_ignore"),
  ]

  @Test("tells what is different", arguments: damages)
  func damaged(_ damage: DamagingLine) throws {
    let fixture = try TuningFixture()
    let network = fixture.network(TuningTests.everything)
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.lab.check(network, fixture.pod).succeed()
    try fixture.pod.ip(damage.command)
    let before = try fixture.picture()
    let message = try fixture.lab.check(network, fixture.pod).error?.message
    #expect(message?.contains(damage.says) == true, "it said: \(message ?? "nothing")")
    #expect(try fixture.picture() == before)
    try fixture.lab.delete(network, fixture.pod).succeed()
    #expect(try fixture.files() == [])
  }

  @Test("tells which setting of the kernel is different, and that the interface is gone")
  func settings() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["sysctl": ["net.core.somaxconn": "77"]])
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.pod.run { try Sysctl.write(["net", "core", "somaxconn"], "78") }
    #expect(
      try fixture.lab.check(network, fixture.pod).error?.message
        == "Error: Tuning configured value of /proc/sys/net/core/somaxconn is 77, "
        + "current value is 78")
    try fixture.pod.run { try Sysctl.write(["net", "core", "somaxconn"], "77") }
    try fixture.lab.check(network, fixture.pod).succeed()
    try fixture.pod.ip("link del eth0")
    #expect(
      try fixture.lab.check(network, fixture.pod).error?.message
        == "Cannot find container link eth0")
  }

  @Test("does not mind what others have switched on, and needs a previous result")
  func tolerance() throws {
    let fixture = try TuningFixture()
    let network = fixture.network(["mtu": 1400])
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.pod.ip("link set eth0 promisc on allmulticast on txqueuelen 7")
    try fixture.lab.check(network, fixture.pod).succeed()
    #expect(
      try fixture.lab.check(network.with(["prevResult": nil]), fixture.pod).error?.message
        == "Required prevResult missing")
  }

  @Test("STATUS is well where ADD would do, and tells that the backup has no place")
  func status() throws {
    let fixture = try TuningFixture()
    func status(_ keys: JSONObject) throws -> ProtocolError? {
      var call = PluginCall(
        "tuning", fixture.network(TuningTests.everything).with(["prevResult": nil]).with(keys).text)
      (call.container, call.interface) = (nil, nil)
      call.path = fixture.lab.pluginPath
      return try fixture.lab.ask("STATUS", call).error
    }
    let before = try fixture.picture()
    #expect(try status([:]) == nil)
    #expect(try fixture.picture() == before)
    #expect(try File.status(of: fixture.directory) == nil)
    let noPlace = try status(["dataDir": "/dev/null/tuning"])
    #expect(noPlace?.code == .notReady)
    #expect(noPlace?.message.contains("/dev/null") == true)
    #expect(try status(["mtu": -1])?.code == .invalidConfiguration)
  }
}
