import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Changing over from upstream's tuning, and back", .needsRoot, .needsUpstream)
struct TuningUpstreamTests {
  /// What both versions can do; the queue's length is newer than Debian's.
  static let keys: JSONObject = [
    "cniVersion": "1.0.0", "sysctl": ["net.core.somaxconn": "77"],
    "mac": "02:00:00:00:00:99", "promisc": true, "mtu": 1400, "allmulti": true,
  ]

  private func network(_ fixture: TuningFixture) -> TestNetwork {
    var previous = fixture.previous
    previous["cniVersion"] = "1.0.0"
    previous["interfaces"] = [["name": "eth0", "sandbox": .string(fixture.pod.path)]]
    previous["ips"] = [["address": "10.1.2.3/24", "interface": 0]]
    return fixture.network(Self.keys).with(["prevResult": .object(previous)])
  }

  @Test("our result is upstream's, and our backup to the byte")
  func sameBytes() throws {
    let fixture = try TuningFixture()
    let network = network(fixture)
    let ours = try fixture.lab.add(network, fixture.pod).result()
    let file = try fixture.backup()
    try fixture.lab.delete(network, fixture.pod).succeed()
    let theirs = try fixture.lab.askUpstream("ADD", network, fixture.pod).result()
    #expect(try fixture.backup() == file)
    #expect(ours == theirs)
  }

  @Test("our CHECK and DEL do for what upstream's ADD has done")
  func toOurs() throws {
    let fixture = try TuningFixture()
    let network = network(fixture)
    let before = try fixture.pod.picture()
    try fixture.lab.askUpstream("ADD", network, fixture.pod).succeed()
    try fixture.lab.check(network, fixture.pod).succeed()
    try fixture.lab.delete(network, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.files() == [])
  }

  @Test("upstream's CHECK and DEL do for what our ADD has done, but for our side file")
  func toUpstream() throws {
    let fixture = try TuningFixture()
    let network = network(fixture)
    let before = try fixture.pod.picture()
    try fixture.lab.add(network, fixture.pod).succeed()
    try fixture.lab.askUpstream("CHECK", network, fixture.pod).succeed()
    try fixture.lab.askUpstream("DEL", network, fixture.pod).succeed()
    try fixture.pod.expectUnchanged(since: before)
    #expect(try fixture.files() == [".swift-cni/net/one_eth0.json"])
  }
}
