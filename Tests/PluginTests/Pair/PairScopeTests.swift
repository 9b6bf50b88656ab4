import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("ipMasq with families and exceptions", .needsRoot)
struct PairScopeTests {
  private func network(_ plugin: PairPlugin, _ lab: PluginLab, _ scope: JSONValue) -> TestNetwork {
    plugin.network(in: lab).with(["ipMasq": scope])
  }

  /// As whom the outside hears a pod, by TCP.
  private func heard(
    _ pod: Pod, by outside: borrowing FreshNamespace, at address: String
  ) throws -> String? {
    try Traffic.exchange(.tcp, from: pod.namespace, to: outside, at: address)
  }

  @Test("hides the families that are named, and not the others", arguments: PairPlugin.allCases)
  func families(_ plugin: PairPlugin) throws {
    for (family, sources) in [
      ("ipv4", ["192.0.2.1", "fd00:1::2"]), ("ipv6", ["10.1.2.2", "2001:db8::1"]),
    ] {
      let lab = try PluginLab()
      let outside = try lab.outside(knowing: "10.1.2.0/24", "fd00:1::/64")
      let network = network(plugin, lab, ["families": [.string(family)]])
      let pod = try Pod("one")
      let added = try lab.add(network, pod)
      try lab.check(network.after(added), pod).succeed()
      for (address, source) in zip(["192.0.2.2", "2001:db8::2"], sources) {
        #expect(try heard(pod, by: outside, at: address) == source)
      }
      try lab.delete(network, pod).succeed()
      #expect(try lab.host.run { try Witness.elements() }.filter { $0.table == "swift_cni" } == [])
    }
  }

  @Test(
    "shows the pod's own address to the networks that are excepted, of either length",
    arguments: PairPlugin.allCases)
  func exceptions(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.outside(knowing: "10.1.2.0/24", "fd00:1::/64")
    try outside.run {
      try TestProgram.ip("address add 198.51.100.2/32 dev eth0")
      try TestProgram.ip("address add 2001:db8:5::2/128 dev eth0 nodad")
    }
    try lab.ip("route add 198.51.100.0/24 via 192.0.2.2")
    try lab.ip("-6 route add 2001:db8:5::/48 via 2001:db8::2")
    let plain = network(plugin, lab, true)
    let other = try Pod("two")
    let network = network(
      plugin, lab,
      ["except": ["198.51.100.0/24", "10.0.0.0/8", "2001:db8:5::/48", "10.1.2.0/24"]])
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    let own = try added.result().addresses.map(\.address.address.description)
    #expect(own.count == 2)
    try lab.add(plain, other).succeed()
    for (address, source) in [
      ("192.0.2.2", "192.0.2.1"), ("198.51.100.2", own[0]), ("2001:db8::2", "2001:db8::1"),
      ("2001:db8:5::2", own[1]),
    ] {
      #expect(try heard(pod, by: outside, at: address) == source, "\(address)")
    }
    // What is excepted for one pod is not for another.
    #expect(try heard(other, by: outside, at: "198.51.100.2") == "192.0.2.1")
    try lab.check(network.after(added), pod).succeed()

    // One exception is lost: CHECK tells, a repair puts it back, DEL takes all of them.
    try lab.host.run {
      try TestProgram.nft("flush set inet swift_cni own_subnet_v4_24")
    }
    #expect(try lab.check(network.after(added), pod).error?.code == .internalFailure)
    try lab.ask("X-REPAIR", lab.call(network.after(added), pod)).succeed()
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(plain, other).succeed()
    try lab.delete(plain, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("says what is wrong with it, and changes nothing", arguments: PairPlugin.allCases)
  func refusals(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    for (scope, words) in [
      (["families": ["ipv5"]], "ipMasq.families: unknown family \"ipv5\""),
      (["families": []], "ipMasq.families: there is none"),
      (["except": ["10.1.2.3"]], "ipMasq.except"), (["except": "10.0.0.0/8"], "ipMasq.except"),
      (["except": ["0.0.0.0/0"]], "ipMasq.except"), (["expect": []], "ipMasq.expect"),
      ("yes", "ipMasq"),
    ] as [(JSONValue, String)] {
      let refusal = try lab.add(network(plugin, lab, scope), try Pod("one")).error
      #expect(refusal?.code == .invalidConfiguration, "\(words)")
      #expect(refusal?.message.contains(words) == true, "\(refusal?.message ?? "")")
    }
    try lab.expectUnchanged(since: before)
  }
}
