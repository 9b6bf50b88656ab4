import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("mtu \"auto\" of bridge and ptp", .needsRoot)
struct PairAutomaticSizeTests {
  /// A host with a link of 1400 bytes that has an address, and a network of the plugin's on it.
  private func host(
    _ plugin: PairPlugin, _ address: String = "198.51.100.2/24"
  ) throws -> (PluginLab, TestNetwork) {
    let lab = try PluginLab()
    try lab.exit("up0", mtu: 1400, address)
    let network = plugin.network(in: lab, ipam: lab.hostLocal("10.1.2.0/24"))
    return (lab, network.with(["mtu": "auto"]))
  }

  /// The MTU that a pod's two ends have, after what the result says of them; then the pod goes.
  private func sizes(_ network: TestNetwork, _ lab: PluginLab) throws -> [Int?] {
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    let result = try added.result()
    let told = result.interfaces.filter { $0.name != "cni0" }.map(\.mtu)
    let host = result.interfaces.first { $0.sandbox.isEmpty && $0.name != "cni0" }?.name
    let seen = [try lab.link(try #require(host))?.mtu, try pod.link()?.mtu].map { $0.map(Int.init) }
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    return told + seen
  }

  @Test(
    "is the smaller of a default route and its link, of both families the smaller, and is told",
    arguments: PairPlugin.allCases)
  func sizes(_ plugin: PairPlugin) throws {
    let (lab, network) = try host(plugin)
    try lab.exit("up1", mtu: 1350, "2001:db8:9::2/64")
    // A laboratory's networks are no way to the world.
    try lab.exit("near0", mtu: 1300, "192.0.2.2/24")
    try lab.exit("near1", mtu: 1290, "2001:db8::2/64")
    try lab.ip("route add default via 198.51.100.1")
    #expect(try sizes(network, lab) == [1400, 1400, 1400, 1400])
    try lab.ip("route replace default via 198.51.100.1 mtu 1280")
    #expect(try sizes(network, lab) == [1280, 1280, 1280, 1280])
    try lab.ip("route replace default via 198.51.100.1 mtu 9000")
    #expect(try sizes(network, lab) == [1400, 1400, 1400, 1400])
    try lab.ip("-6 route add default via 2001:db8:9::1")
    #expect(try sizes(network, lab) == [1350, 1350, 1350, 1350])
    try lab.ip("route delete default")
    #expect(try sizes(network, lab) == [1350, 1350, 1350, 1350])
  }

  @Test(
    "of a host without a default route is refused before anything is done, by STATUS too",
    arguments: PairPlugin.allCases)
  func nowhere(_ plugin: PairPlugin) throws {
    let (lab, network) = try host(plugin, "192.0.2.2/24")
    let before = try lab.picture()
    let refusal = try lab.add(network, try Pod("one")).error
    #expect(refusal?.code == .tryAgainLater)
    #expect(refusal?.message == "mtu \"auto\": this host has no default route")
    #expect(try lab.askNetwork("STATUS", network).error?.code == .notReady)
    try lab.expectUnchanged(since: before)
    try lab.ip("route add unreachable default")
    #expect(try lab.add(network, try Pod("two")).error?.code == .tryAgainLater)
    let nonsense = try lab.add(network.with(["mtu": "big"]), try Pod("six")).error
    #expect(nonsense?.code == .invalidConfiguration)
  }

  @Test(
    "is asked for by ADD alone: CHECK and DEL succeed when the default route has gone",
    arguments: PairPlugin.allCases)
  func gone(_ plugin: PairPlugin) throws {
    let (lab, network) = try host(plugin)
    try lab.ip("route add default via 198.51.100.1")
    let pod = try Pod("one")
    let before = try lab.settled(network)
    let added = try lab.add(network, pod)
    try lab.ip("route delete default")
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try lab.ip("route add default via 198.51.100.1")
    try lab.expectUnchanged(since: before)
  }
}

extension PluginLab {
  /// Gives the host a link with an address, of which a default route may make an exit.
  func exit(_ name: String, mtu: Int, _ address: String) throws {
    try ip("link add \(name) mtu \(mtu) type veth peer name \(name)far mtu \(mtu)")
    try ip("link set \(name)far up")
    try ip("link set \(name) up")
    try ip("address add \(address) dev \(name)\(address.contains(":") ? " nodad" : "")")
  }
}
