import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The order of things in bridge and ptp", .needsRoot)
struct PairOrderTests {
  /// A fake IPAM plugin that writes down what it sees of the pod's link, the host's and the filter.
  private func watch(_ lab: PluginLab, result: String) throws {
    try lab.write(
      plugin: "fake",
      """
      inside=$(nsenter --net="$CNI_NETNS" ip -o link show "$CNI_IFNAME" 2>/dev/null | wc -l)
      outside=$(ip -o link show type veth | wc -l)
      hidden=$(nft list set inet swift_cni masquerade_v4 2>/dev/null | grep -c 10.1.2.9)
      echo "$CNI_COMMAND $inside $outside $hidden" >> \(lab.state.path("seen"))
      test "$CNI_COMMAND" = ADD || exit 0
      echo '\(result)'
      """)
  }

  private func seen(_ lab: PluginLab) throws -> [String] {
    (try lab.state.text("seen") ?? "").split(separator: "\n").map(String.init)
  }

  @Test(
    "has the link there when addresses are asked for, and gives them back when all is gone",
    arguments: PairPlugin.allCases)
  func whole(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    try watch(lab, result: PairUndoTests.result)
    let pod = try Pod("one")
    let network = plugin.network(in: lab, ipam: ["type": "fake"])
    let added = try lab.add(network, pod)
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    // Some IPAM plugins speak over the link; no rule may point at an address that is free again.
    #expect(try seen(lab) == ["ADD 1 1 0", "CHECK 1 1 1", "DEL 0 0 0"])
  }

  @Test(
    "gives addresses back after everything that used them when ADD fails late",
    arguments: PairPlugin.allCases)
  func undone(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let result = PairUndoTests.result.replacing(
      "}]}", with: #"}], "routes": [{"dst": "192.0.2.0/24", "gw": "198.51.100.1"}]}"#)
    try watch(lab, result: result)
    let network = plugin.network(in: lab, ipam: ["type": "fake"])
    #expect(try lab.add(network, try Pod("one")).exitCode == 1)
    #expect(try seen(lab) == ["ADD 1 1 0", "DEL 0 0 0"])
  }

  @Test("gives both ends any MTU that a link can have", arguments: PairPlugin.allCases)
  func sizes(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, ipam: lab.hostLocal("10.1.2.0/24"))
    for size in [68, 576, 1280, 9000, 65535] {
      let pod = try Pod("one")
      let sized = network.with(["mtu": .integer(size)])
      let result = try lab.add(sized, pod).result()
      let name = try #require(result.interfaces.first { $0.name.hasPrefix("veth") }).name
      #expect(try lab.link(name)?.mtu == UInt32(size))
      #expect(try pod.link()?.mtu == UInt32(size))
      try lab.delete(sized, pod).succeed()
    }
  }
}
