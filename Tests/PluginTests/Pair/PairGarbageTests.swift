import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("GC of bridge and ptp", .needsRoot)
struct PairGarbageTests {
  @Test(
    "removes all that belongs to pods that are not listed, and nothing of others",
    arguments: PairPlugin.allCases)
  func listed(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let other = plugin.network(
      in: lab, ipam: lab.hostLocal("10.7.0.0/24")
    ).with(["name": "other", "bridge": "cni7"])
    let before = try lab.settled(network)
    let stranger = try Pod("one")
    try lab.add(other, stranger).succeed()
    try lab.ip("link add veth01234567 type veth peer name veth76543210")
    let kept = try Pod("kept")
    let added = try lab.add(network, kept)
    let wanted = try lab.picture()

    let forgotten = try ["one", "two"].map { try Pod($0) }
    for pod in forgotten { try lab.add(network, pod).succeed() }
    let second = try Pod("kept", interface: "eth1")
    try lab.add(network, second).succeed()
    #expect(try lab.leftovers(since: wanted) != [])

    for _ in 1...2 { try lab.collectGarbage(network, keeping: [kept]).succeed() }
    try lab.expectUnchanged(since: wanted)
    try lab.check(network.after(added), kept).succeed()
    #expect(try forgotten.map { try $0.link() } == [nil, nil])

    try lab.collectGarbage(network, keeping: []).succeed()
    try lab.ip("link del veth01234567")
    try lab.delete(other, stranger).succeed()
    let left = try lab.leftovers(since: before)
    #expect(left.filter { !$0.contains("cni7") && !$0.contains("own_subnet") } == [])
  }

  @Test("without a list frees nothing and says so", arguments: PairPlugin.allCases)
  func noList(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    try lab.add(network, try Pod("one")).succeed()
    let before = try lab.picture()
    #expect(try lab.collectGarbage(network, keeping: nil).error?.code == .invalidConfiguration)
    try lab.expectUnchanged(since: before)
  }

  @Test("goes on after the IPAM plugin has failed, and tells it", arguments: PairPlugin.allCases)
  func failingIPAM(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    try lab.add(network, try Pod("one")).succeed()
    try lab.write(plugin: "host-local", #"echo '{"code": 11, "msg": "busy"}'; exit 1"#)
    let error = try lab.collectGarbage(network, keeping: []).error
    #expect(error?.message == "release left-over addresses: busy")
    #expect(error?.code == .tryAgainLater)
    #expect(try lab.leftovers(since: before).allSatisfy { $0.hasPrefix("+ lease net/") })
    try File.remove(lab.state.path("first/host-local"))
    try lab.collectGarbage(network, keeping: []).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("finds pods whose names are too long for an alias")
  func longNames() throws {
    let lab = try PluginLab()
    let name = String(repeating: "n", count: 120)
    let network = PairPlugin.bridge.network(in: lab).with(["name": .string(name)])
    let before = try lab.settled(network)
    let stem = String(repeating: "c", count: 200)
    let pods = try ["a", "b", "c"].map { try Pod(stem + $0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    #expect(try lab.ports().allSatisfy { $0.alias?.utf8.count == 255 })
    try lab.collectGarbage(network, keeping: [pods[1]]).succeed()
    #expect(try pods.map { try $0.link() == nil } == [true, false, true])
    try lab.delete(network, pods[1]).succeed()
    try lab.expectUnchanged(since: before)
  }
}
