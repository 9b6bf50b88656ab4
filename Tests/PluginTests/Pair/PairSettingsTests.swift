import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("What bridge and ptp set and ask of the kernel", .needsRoot)
struct PairSettingsTests {
  private func disableIPv6(in pod: Pod) throws {
    for interface in ["all", "default"] {
      try pod.run { try Sysctl.write(["net", "ipv6", "conf", interface, "disable_ipv6"], "1") }
    }
  }

  private func isIPv6Disabled(in pod: Pod) throws -> [String] {
    try pod.run {
      try ["lo", "eth0"].map { try Sysctl.read(["net", "ipv6", "conf", $0, "disable_ipv6"]) }
    }
  }

  @Test(
    "switches IPv6 on in a pod that has it off, if the network has it",
    arguments: PairPlugin.allCases)
  func switchesOn(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try disableIPv6(in: pod)
    try lab.add(plugin.network(in: lab), pod).succeed()
    #expect(try pod.addresses().contains("fd00:1::2/64"))
    #expect(try isIPv6Disabled(in: pod) == ["0", "0"])
    #expect(try lab.reaches(pod))
  }

  @Test(
    "leaves IPv6 off in a pod that has it off, if the network has none",
    arguments: PairPlugin.allCases)
  func leavesOff(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try disableIPv6(in: pod)
    try lab.add(plugin.network(in: lab, ipam: lab.hostLocal("10.1.2.0/24")), pod).succeed()
    #expect(try isIPv6Disabled(in: pod) == ["1", "1"])
    #expect(try pod.run { try Witness.addresses() }.filter { $0.address.contains(":") } == [])
    #expect(try lab.setting("ipv6", "conf", "all", "forwarding") == "0")
  }

  @Test("hears no router in a pod whose IPv6 addresses are given", arguments: PairPlugin.allCases)
  func routers(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    try lab.add(plugin.network(in: lab), pod).succeed()
    let setting = try pod.run { try Sysctl.read(["net", "ipv6", "conf", "eth0", "accept_ra"]) }
    #expect(setting == "0")
  }

  @Test("serves ipMasqBackend iptables by nftables, and says so", arguments: PairPlugin.allCases)
  func iptables(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.outside(knowing: "10.1.2.0/24")
    let pod = try Pod("one")
    let network = plugin.network(in: lab).with(["ipMasqBackend": "iptables"])
    let added = try lab.add(network, pod)
    try added.succeed()
    #expect(added.log.contains("ipMasqBackend \"iptables\" is served by nftables"))
    let heard = try Traffic.exchange(.udp, from: pod.namespace, to: outside, at: "192.0.2.2")
    #expect(heard == "192.0.2.1")
    #expect(try Set(lab.host.run { try Witness.tables() }.map(\.name)) == ["swift_cni"])
  }

  @Test("says what the kernel lacks where it cannot tell VLANs apart", .whereVLANsAreMissing)
  func noVLANs() throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let pod = try Pod("one")
    for keys: JSONObject in [["vlan": 100], ["vlanTrunk": [["id": 7]]], ["vlanTrunk": []]] {
      let error = try lab.add(lab.network("bridge", keys), pod).error
      #expect(error?.details.contains("bridge VLAN filtering") == true)
      try lab.expectUnchanged(since: before)
    }
    let plain = lab.network("bridge")
    let settled = try lab.settled(plain)
    #expect(try lab.add(plain.with(["vlan": 100]), pod).error != nil)
    try lab.expectUnchanged(since: settled)
    #expect(try pod.link() == nil)
  }
}

extension Trait where Self == ConditionTrait {
  /// Runs a test only where the kernel's bridges have no VLAN filtering.
  static var whereVLANsAreMissing: Self {
    .enabled("needs a kernel without bridge VLAN filtering") {
      try FreshNamespace.run {
        try TestProgram.ip("link add br0 type bridge")
        do {
          try TestProgram.ip("link set br0 type bridge vlan_filtering 1")
          return false
        } catch {
          return true
        }
      }
    }
  }
}
