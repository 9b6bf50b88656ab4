import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("vlan", .needsRoot, .needsLinks(of: "vlan"))
struct VLANTests {
  @Test("is one for each number of a master; a second one is refused and takes nothing")
  func taken() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink(isVLAN: true)
    let network = StackedPlugin.vlan.network(in: lab)
    let first = try Pod("one")
    let added = try lab.add(network, first)
    try added.succeed()
    let before = try lab.picture()
    let second = try Pod("two")
    let untouched = try second.picture()
    let error = try lab.add(network, second).error
    #expect(error?.message.hasPrefix("failed to create vlan: ") == true)
    #expect(
      error?.details == "\"eth0\" has such a link already, which may be in another container")
    try second.expectUnchanged(since: untouched)
    try lab.expectUnchanged(since: before)
    try lab.check(network.after(added), first).succeed()
    #expect(try Traffic.pings("10.1.2.1", from: first.namespace))
    let other = try lab.check(network.with(["vlanId": 6]).after(added), first).error
    #expect(other?.message == "eth0 is not VLAN 6, as \"vlanId\" has it")
    try lab.add(network.with(["vlanId": 6]), second).succeed()
    #expect(try second.link()?.vlanID == 6)
    #expect(try Traffic.pings("10.1.2.1", from: second.namespace, patience: "0.3") == false)
    _ = outside.path
  }
}

@Suite("ipvlan", .needsRoot, .needsLinks(of: "ipvlan"))
struct IPVLANTests {
  @Test("has the mode that is asked for", arguments: [("l2", 0), ("l3", 1), ("l3s", 2)])
  func modes(_ mode: String, _ number: UInt16) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let network = StackedPlugin.ipvlan.network(
      in: lab, ["mode": .string(mode), "enabledad": nil])
    let added = try lab.add(network, pod)
    try added.succeed()
    let seen = try #require(try pod.link())
    #expect(seen.ipvlanMode == number)
    #expect(seen.hardwareAddress == (try lab.link("eth0")?.hardwareAddress))
    try lab.check(network.after(added), pod).succeed()
    let other = network.with(["mode": mode == "l3" ? "l2" : "l3"])
    #expect(
      try lab.check(other.after(added), pod).error?.message.hasPrefix("Container IPVlan mode")
        == true)
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }

  @Test("takes over link and addresses of the plugin before it")
  func chained() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let earlier: JSONObject = [
      "cniVersion": "1.1.0", "interfaces": [["name": "eth0"]],
      "ips": [["address": "10.1.2.7/24", "gateway": "10.1.2.1", "interface": 0]],
    ]
    let network = lab.network("ipvlan").with(["prevResult": .object(earlier)])
    let added = try lab.add(network, pod)
    let result = try added.result()
    #expect(result.interfaces.map(\.sandbox) == [pod.path])
    #expect(result.addresses.map(\.address.description) == ["10.1.2.7/24"])
    #expect(try pod.link()?.peer == (try lab.link("eth0")?.index))
    #expect(try Traffic.pings("10.1.2.1", from: pod.namespace))
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network.after(added), pod).succeed()
    try lab.expectUnchanged(since: before)
    let two: JSONObject = [
      "cniVersion": "1.1.0", "interfaces": [["name": "eth0"], ["name": "eth1"]],
      "ips": [["address": "10.1.2.7/24"]],
    ]
    let error = try lab.add(network.with(["prevResult": .object(two)]), pod).error
    #expect(
      error?.message == "chained master failure. PrevResult lacks a single named interface")
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }
}
