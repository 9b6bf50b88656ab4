import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The bandwidth plugin", .needsRoot)
struct BandwidthTests {
  @Test("limits both directions, and tells of the link it made")
  func add() throws {
    let site = try BandwidthSite()
    let before = try site.lab.settled(site.base)
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(BandwidthSite.both, joined)
    let host = try site.hostEnd(joined)

    #expect(try site.queues(of: host).map(\.kind) == ["tbf", "ingress"])
    let ingress = try site.queues(of: host).first?.bucket
    #expect(ingress?.rate == 1_000_000)
    #expect(ingress?.limit == 125_000)
    #expect(ingress?.buffer == 1_562_500)

    let devices = try site.devices()
    let device = try #require(devices.first)
    #expect(devices.count == 1)
    #expect(device.isUp)
    #expect(device.mtu == host.mtu)
    #expect(device.alias == "swift-cni:net/one/eth0")
    let egress = try site.queues(of: device)
    #expect(egress.map(\.kind) == ["tbf"])
    #expect(egress.first?.handle == 0x10000)
    #expect(egress.first?.bucket?.rate == 2_000_000)
    #expect(egress.first?.bucket?.limit == 250_000)
    #expect(egress.first?.bucket?.buffer == 1_562_500)
    #expect(try site.redirections(of: host) == ["mirred #\(device.index)"])

    let interfaces = try limited.result.result().interfaces
    #expect(try Array(interfaces.dropLast()) == joined.result.result().interfaces)
    #expect(interfaces.last?.name == device.name)
    #expect(interfaces.last?.hardwareAddressText == device.hardwareAddress)
    #expect(interfaces.last?.sandbox == "")

    try site.ask("CHECK", BandwidthSite.both, limited).succeed()
    try site.delete(BandwidthSite.both, limited)
    try site.lab.expectUnchanged(since: before)
  }

  @Test("names the link as upstream does")
  func name() throws {
    let site = try BandwidthSite(["name": "cni-plugin-bandwidth-test"])
    _ = try site.add(BandwidthSite.both, try site.join(try Pod("dummy")))
    #expect(try site.devices().map(\.name) == ["bwpa8eda89404b7"])
  }

  /// The keys of one direction, and what must then be on the host.
  struct Direction: Sendable, CustomTestStringConvertible {
    let keys: JSONObject
    let queues: [String]
    let devices: Int
    let testDescription: String
  }

  @Test(
    "limits what is asked and no more",
    arguments: [
      Direction(
        keys: ["ingressRate": 8_000_000, "ingressBurst": 800_000], queues: ["tbf"], devices: 0,
        testDescription: "ingress"),
      Direction(
        keys: ["egressRate": 8_000_000, "egressBurst": 800_000, "ingressRate": 0],
        queues: ["ingress"], devices: 1, testDescription: "egress"),
      Direction(keys: [:], queues: [], devices: 0, testDescription: "nothing"),
      Direction(
        keys: ["ingressRate": 0, "egressBurst": 0], queues: [], devices: 0,
        testDescription: "zeros"),
    ])
  func oneDirection(_ row: Direction) throws {
    let site = try BandwidthSite()
    let before = try site.lab.settled(site.base)
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(row.keys, joined)
    #expect(try site.queues(of: try site.hostEnd(joined)).map(\.kind) == row.queues)
    #expect(try site.devices().count == row.devices)
    if row.devices == 0 { #expect(try limited.result.result() == joined.result.result()) }
    try site.ask("CHECK", row.keys, limited).succeed()
    try site.delete(row.keys, limited)
    try site.lab.expectUnchanged(since: before)
  }

  @Test(
    "answers in every version that upstream knows",
    arguments: ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])
  func versions(_ version: String) throws {
    let site = try BandwidthSite(["cniVersion": .string(version)])
    let limited = try site.add(BandwidthSite.both, try site.join(try Pod("one")))
    #expect(try limited.result.document()["cniVersion"]?.textValue == version)
    #expect(try limited.result.result().interfaces.count == 3)
  }

  @Test("refuses versions that have no chain", arguments: ["0.1.0", "0.2.0"])
  func oldVersions(_ version: String) throws {
    let site = try BandwidthSite()
    let network = site.network(BandwidthSite.both).with(["cniVersion": .string(version)])
    let error = try site.lab.add(network, try Pod("one")).error
    #expect(error?.code == .incompatibleVersion)
  }

  @Test(
    "a second ADD fails and takes nothing from the first",
    arguments: [
      BandwidthSite.both, ["egressRate": 8_000_000, "egressBurst": 800_000] as JSONObject,
    ])
  func twice(_ keys: JSONObject) throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(keys, joined)
    let before = try site.lab.picture()
    let error = try site.ask("ADD", keys, joined).error
    #expect(error?.details.contains("run DEL before another ADD") == true)
    try site.lab.expectUnchanged(since: before)
    try site.ask("CHECK", keys, limited).succeed()
  }

  @Test("two interfaces of a container in one network have a link each")
  func twoInterfaces() throws {
    let site = try BandwidthSite()
    let before = try site.lab.settled(site.base)
    let pod = try Pod("one")
    let first = try site.add(BandwidthSite.both, try site.join(pod))
    let second = try site.add(BandwidthSite.both, try site.join(pod, as: "net1"))
    let devices = try site.devices()
    #expect(devices.map(\.alias) == ["swift-cni:net/one/eth0", "swift-cni:net/one/net1"])
    for (joined, device) in zip([first, second], devices) {
      try site.ask("CHECK", BandwidthSite.both, joined).succeed()
      #expect(try site.redirections(of: site.hostEnd(joined)) == ["mirred #\(device.index)"])
      #expect(try joined.result.result().interfaces.last?.name == device.name)
    }
    // The one that has upstream's name goes, the other stays.
    try site.delete(BandwidthSite.both, first)
    #expect(try site.devices().map(\.alias) == ["swift-cni:net/one/net1"])
    try site.ask("CHECK", BandwidthSite.both, second).succeed()
    try site.delete(BandwidthSite.both, second)
    try site.lab.expectUnchanged(since: before)
  }

  @Test("a failed ADD leaves nothing: somebody else hears already what the host's end receives")
  func undone() throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let host = try site.hostEnd(joined)
    try site.lab.host.run { try TestProgram.tc("qdisc add dev \(host.name) ingress") }
    let before = try site.lab.picture()
    let error = try site.ask("ADD", BandwidthSite.both, joined).error
    #expect(error?.message.hasPrefix("create ingress qdisc: ") == true)
    try site.lab.expectUnchanged(since: before)
  }

  @Test("a failed ADD leaves nothing: somebody else has classes on the host's end already")
  func undoneRoot() throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let host = try site.hostEnd(joined)
    try site.lab.host.run {
      try TestProgram.tc("qdisc add dev \(host.name) root handle 1: htb default 1")
    }
    let before = try site.lab.picture()
    let keys = BandwidthSite.both.adding(["shapedSubnets": ["10.0.0.0/8"]])
    let error = try site.ask("ADD", keys, joined).error
    #expect(error?.message.hasPrefix("create qdisc: ") == true)
    try site.lab.expectUnchanged(since: before)
    #expect(try site.lab.host.run { try Witness.trafficClasses(ofLink: host.index) } == [])
  }

  @Test("thousands of networks can be told apart")
  func manyNetworks() throws {
    let site = try BandwidthSite()
    let subnets = (0..<2000).map { JSONValue.string("10.\($0 / 250).\($0 % 250).0/24") }
    let keys = BandwidthSite.both.adding(["unshapedSubnets": .array(subnets)])
    let limited = try site.add(keys, try site.join(try Pod("one")))
    try site.ask("CHECK", keys, limited).succeed()
    let host = try site.hostEnd(limited)
    let seen = try site.lab.host.run {
      try Witness.trafficFilters(ofLink: host.index, at: 0x10000)
    }
    #expect(seen.count == 2000)
  }

  @Test("says so when a burst is less than a frame")
  func smallBurst() throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let outcome = try site.ask("ADD", ["ingressRate": 8000, "ingressBurst": 800], joined)
    try outcome.succeed()
    #expect(outcome.log.contains("less than one frame"))
  }
}
