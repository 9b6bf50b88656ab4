import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A link of the pod's own", .needsRoot)
struct StackedTests {
  @Test(
    "is born in the pod, though the host has one of that name, and leaves nothing behind",
    arguments: StackedPlugin.known)
  func result(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    let result = try added.result()
    #expect(result.interfaces.count == 1)
    #expect(result.interfaces[0].name == "eth0")
    #expect(result.interfaces[0].sandbox == pod.path)
    #expect(result.addresses.map(\.address.description) == ["10.1.2.2/24", "fd00:1::2/64"])
    #expect(result.addresses.map(\.interface) == [0, 0])
    let inside = try #require(try pod.link())
    #expect(inside.kind == plugin.rawValue)
    #expect(inside.isUp)
    #expect(inside.alias == "swift-cni:net/one/eth0")
    #expect(result.interfaces[0].hardwareAddressText == inside.hardwareAddress)
    #expect(result.interfaces[0].mtu == Int(inside.mtu))
    #expect(Set(try pod.addresses()) == ["10.1.2.2/24", "fd00:1::2/64"])
    #expect(try pod.routes().contains("0.0.0.0/0 via 10.1.2.1"))
    #expect(try pod.routes().contains("::/0 via fd00:1::1"))
    if plugin != .dummy { #expect(inside.peer == (try lab.link("eth0")?.index)) }
    // One link, and not another one under a name of the way.
    #expect(try pod.run { try Witness.links() }.map(\.name).sorted() == ["eth0", "lo"])
    try lab.check(network.after(added), pod).succeed()
    for _ in 1...2 { try lab.delete(network.after(added), pod).succeed() }
    #expect(try lab.leases() == [])
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("carries packets to the network outside, at once", arguments: StackedPlugin.knownOnMaster)
  func packets(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink(isVLAN: plugin == .vlan)
    let network = plugin.network(in: lab)
    let pod = try Pod("one")
    try lab.add(network, pod).succeed()
    for (own, gateway) in [("10.1.2.2", "10.1.2.1"), ("fd00:1::2", "fd00:1::1")] {
      #expect(try Traffic.pings(own, from: outside))
      for transport in Traffic.Transport.allCases {
        for size in [1, 1232, 4096] {
          let heard = try Traffic.exchange(
            transport, from: pod.namespace, to: outside, at: gateway, size: size)
          #expect(heard == own, "\(size) bytes")
        }
      }
    }
    try lab.delete(network, pod).succeed()
    #expect(try Traffic.pings("10.1.2.2", from: outside, patience: "0.3") == false)
  }

  @Test("is made and taken away in every version", arguments: StackedPlugin.known)
  func versions(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] {
      let pod = try Pod("one")
      let network = plugin.network(in: lab, ["cniVersion": .string(version)])
      let added = try lab.add(network, pod)
      try added.succeed()
      #expect(try pod.link()?.kind == plugin.rawValue, "\(version)")
      if version >= "0.4.0" { try lab.check(network.after(added), pod).succeed() }
      try lab.delete(network.after(added), pod).succeed()
      try lab.expectUnchanged(since: before)
    }
    _ = outside.path
  }

  @Test("takes its MTU and the resolver's settings", arguments: StackedPlugin.knownOnMaster)
  func keys(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let pod = try Pod("one")
    let network = plugin.network(in: lab, ["mtu": 1400, "dns": ["nameservers": ["10.1.2.1"]]])
    let added = try lab.add(network, pod)
    let result = try added.result()
    #expect(result.dns.nameservers == ["10.1.2.1"])
    #expect(result.interfaces[0].mtu == 1400)
    #expect(try pod.link()?.mtu == 1400)
    try lab.check(network.after(added), pod).succeed()
    _ = outside.path
  }

  @Test(
    "has with mtu \"auto\" what the default route carries, but no more than the master",
    arguments: StackedPlugin.knownOnMaster)
  func automaticSize(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab, ["mtu": "auto"])
    let before = try lab.picture()
    let refusal = try lab.add(network, try Pod("one")).error
    #expect(refusal?.code == .tryAgainLater)
    #expect(refusal?.message == "mtu \"auto\": this host has no default route")
    try lab.expectUnchanged(since: before)
    try lab.exit("up0", mtu: 1400, "198.51.100.2/24")
    try lab.ip("route add default via 198.51.100.1")
    for (master, expected) in [(1500, 1400), (1300, 1300)] {
      try lab.ip("link set eth0 mtu \(master)")
      let pod = try Pod("one")
      let added = try lab.add(network, pod)
      #expect(try added.result().interfaces[0].mtu == expected)
      #expect(try pod.link()?.mtu == UInt32(expected))
      try lab.check(network.after(added), pod).succeed()
      try lab.delete(network, pod).succeed()
    }
    let inside = network.with(["linkInContainer": true])
    let pod = try Pod("one", interface: "net1")
    try pod.ip("link add eth0 type veth peer name far")
    #expect(try lab.add(inside, pod).error?.code == .invalidConfiguration)
    #expect(try pod.link() == nil)
    _ = outside.path
  }

  @Test(
    "stands on a link of the pod if linkInContainer says so", arguments: StackedPlugin.knownOnMaster
  )
  func inContainer(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let pod = try Pod("one", interface: "net1")
    try pod.ip("link add eth0 type veth peer name far")
    for end in ["eth0", "far"] { try pod.ip("link set \(end) up") }
    let untouched = try pod.picture()
    let network = plugin.network(in: lab, ["linkInContainer": true])
    let before = try lab.picture()
    let added = try lab.add(network, pod)
    try added.succeed()
    let seen = try #require(try pod.link())
    #expect(seen.kind == plugin.rawValue)
    #expect(seen.peer == (try pod.run { try Witness.link(named: "eth0") }?.index))
    #expect(seen.peerNamespace == nil)
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try pod.expectUnchanged(since: untouched)
    try lab.expectUnchanged(since: before)
    // Without that link in the pod there is nothing to stand on.
    let other = try Pod("two", interface: "net1")
    let error = try lab.add(network, other).error
    #expect(error?.message.hasPrefix("failed to lookup master \"eth0\"") == true)
    #expect(error?.details == "key \"master\" names no link of the container")
    try lab.expectUnchanged(since: before)
  }

  @Test("is missed by CHECK, or found different", arguments: StackedPlugin.known)
  func check(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let pod = try Pod("one")
    let network = plugin.network(in: lab)
    let added = try lab.add(network, pod)
    let promised = try network.after(added)
    func complaint() throws -> String { try lab.check(promised, pod).error?.message ?? "none" }
    #expect(try lab.check(network, pod).error?.message == "Required prevResult missing")
    try pod.ip("link set eth0 down")
    #expect(try complaint() == "Interface eth0 is down")
    try pod.ip("link set eth0 up")
    for (family, gateway) in [("-4", "10.1.2.1"), ("-6", "fd00:1::1")] {
      try pod.ip("\(family) route replace default via \(gateway) dev eth0")
    }
    try lab.check(promised, pod).succeed()
    try pod.ip("address del 10.1.2.2/24 dev eth0")
    #expect(try complaint() == "Failed to match addr 10.1.2.2/24 on interface eth0")
    try pod.ip("link del eth0")
    #expect(try complaint() == "Interface name eth0 not found")
    try pod.ip("link add eth0 address \(result(added)) type veth peer name other")
    #expect(try complaint() == "Error: Container interface eth0 not of type \(plugin)")
    _ = outside.path
  }

  private func result(_ added: PluginOutcome) throws -> String {
    try added.result().interfaces[0].hardwareAddressText
  }

  @Test("gives forgotten addresses back at GC", arguments: StackedPlugin.known)
  func garbage(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    do {
      let gone = try Pod("gone")
      try lab.ask("ADD", lab.call(network, gone)).succeed()
    }
    #expect(try lab.leases().count == 2)
    try lab.askNetwork("GC", network.with(["cni.dev/valid-attachments": []])).succeed()
    #expect(try lab.leases() == [])
    _ = outside.path
  }
}
