import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("STATUS of bridge and ptp", .needsRoot)
struct PairStatusTests {
  private func status(_ network: TestNetwork, _ lab: PluginLab) throws -> PluginOutcome {
    var call = PluginCall(network.plugin, network.text)
    call.container = nil
    call.interface = nil
    call.path = lab.pluginPath
    return try lab.ask("STATUS", call)
  }

  @Test("is well where ADD would do, and changes nothing", arguments: PairPlugin.allCases)
  func well(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.picture()
    try status(network, lab).succeed()
    try lab.expectUnchanged(since: before)
    #expect(try lab.setting("ipv4", "ip_forward") == "0")
    try lab.add(network, try Pod("one")).succeed()
    let after = try lab.picture()
    try status(network, lab).succeed()
    try lab.expectUnchanged(since: after)
  }

  @Test("tells that the IPAM plugin is missing, or what it says", arguments: PairPlugin.allCases)
  func ipam(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let missing = try status(plugin.network(in: lab, ipam: ["type": "nowhere"]), lab).error
    #expect(missing?.code == .notReady)
    #expect(missing?.message.contains("nowhere") == true)
    try lab.write(plugin: "fake", #"echo '{"code": 51, "msg": "half dead"}'; exit 1"#)
    let told = try status(plugin.network(in: lab, ipam: ["type": "fake"]), lab).error
    #expect(told?.code == .limitedConnectivity)
    #expect(told?.message == "half dead")
  }

  @Test("tells that the pool is full", arguments: PairPlugin.allCases)
  func full(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, ipam: lab.hostLocal("10.1.2.0/30"))
    try status(network, lab).succeed()
    try lab.add(network, try Pod("one")).succeed()
    #expect(try status(network, lab).error?.code == .notReady)
  }

  @Test("tells that the bridge's name belongs to something else")
  func otherKind() throws {
    let lab = try PluginLab()
    try lab.ip("link add cni0 type veth peer name other0")
    let error = try status(PairPlugin.bridge.network(in: lab), lab).error
    #expect(error?.code == .notReady)
    #expect(error?.message.contains("\"cni0\" already exists but is not a bridge") == true)
  }

  @Test("refuses a network that no ADD would take", arguments: PairPlugin.allCases)
  func configuration(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let error = try status(plugin.network(in: lab).with(["mtu": -1]), lab).error
    #expect(error?.code == .invalidConfiguration)
  }
}
