import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("macvlan", .needsRoot, .needsLinks(of: "macvlan"))
struct MACVLANTests {
  @Test(
    "has the mode and the broadcast queue that are asked for",
    arguments: [("bridge", 4), ("private", 1), ("vepa", 2), ("passthru", 8)])
  func modes(_ mode: String, _ number: UInt32) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let network = StackedPlugin.macvlan.network(
      in: lab, ["mode": .string(mode), "bcqueuelen": 2000])
    let added = try lab.add(network, pod)
    try added.succeed()
    let seen = try #require(try pod.link())
    #expect(seen.macvlanMode == number)
    #expect(seen.broadcastQueueLength == 2000)
    let master = try lab.link("eth0")?.hardwareAddress
    #expect((seen.hardwareAddress == master) == (mode == "passthru"))
    #expect(try Traffic.pings("10.1.2.1", from: pod.namespace))
    try lab.check(network.after(added), pod).succeed()
    let other = network.with(["mode": mode == "vepa" ? "bridge" : "vepa"])
    #expect(
      try lab.check(other.after(added), pod).error?.message.hasPrefix("container macvlan mode")
        == true)
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }

  @Test("lets pods reach each other in mode bridge and not in mode private")
  func amongPods() throws {
    for (mode, isReached) in [("bridge", true), ("private", false)] {
      let lab = try PluginLab()
      let outside = try lab.uplink()
      let network = StackedPlugin.macvlan.network(in: lab, ["mode": .string(mode)])
      let pods = try ["one", "two"].map { try Pod($0) }
      for pod in pods { try lab.add(network, pod).succeed() }
      for other in ["10.1.2.3", "fd00:1::3"] {
        let answers = try Traffic.pings(
          other, from: pods[0].namespace, patience: isReached ? nil : "0.3")
        #expect(answers == isReached)
      }
      _ = outside.path
    }
  }

  @Test(
    "takes the hardware address from the runtime, CNI_ARGS, or the configuration, in this order")
  func hardwareAddress() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    var network = StackedPlugin.macvlan.network(in: lab)
    func given() throws -> String {
      let pod = try Pod("one")
      try lab.ask("ADD", lab.call(network, pod)).succeed()
      let address = try pod.link()?.hardwareAddress ?? ""
      try lab.delete(network, pod).succeed()
      return address
    }
    let derived = try given()
    #expect(try given() == derived)
    network = network.with(["mac": "02:00:00:00:00:01"])
    #expect(try given() == "02:00:00:00:00:01")
    network = network.with(arguments: "MAC=02:00:00:00:00:02;IgnoreUnknown=1")
    #expect(try given() == "02:00:00:00:00:02")
    network = network.with(["runtimeConfig": ["mac": "02:00:00:00:00:03"]])
    #expect(try given() == "02:00:00:00:00:03")
    _ = outside.path
  }

  @Test("stands on the link of the default route where no master is named")
  func defaultRoute() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    try lab.ip("link add near type veth peer name nearer")
    for line in [
      "link set near up", "address add 192.0.2.1/24 dev near", "address add 10.9.9.9/24 dev eth0",
      "route add default via 192.0.2.2 metric 200", "route add default via 10.9.9.1 metric 100",
    ] { try lab.ip(line) }
    let pod = try Pod("one")
    let network = StackedPlugin.macvlan.network(in: lab, ["master": nil])
    let added = try lab.add(network, pod)
    try added.succeed()
    #expect(try pod.link()?.peer == (try lab.link("eth0")?.index))
    try lab.check(network.after(added), pod).succeed()
    _ = outside.path
  }

  @Test("is only switched on without IPAM")
  func layerTwo() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let network = StackedPlugin.macvlan.network(in: lab, ["ipam": nil])
    let added = try lab.add(network, pod)
    #expect(try added.result().addresses == [])
    #expect(try pod.link()?.isUp == true)
    #expect(try pod.addresses() == [])
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    // Older versions of the protocol have no result without an address; nothing stays.
    let untouched = try pod.picture()
    let error = try lab.add(network.with(["cniVersion": "0.2.0"]), pod).error
    #expect(error?.message.contains("no valid IP addresses") == true)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("refuses an IPv6 address that another host on the link has, and takes a free one")
  func duplicate() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = StackedPlugin.macvlan.network(in: lab, ["enabledad": nil])
    try outside.run { try TestProgram.ip("address add fd00:1::2/64 dev far nodad") }
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let error = try lab.refusal(network, pod)
    #expect(
      error?.message.contains("fd00:1::2 in DADFAILED state") == true, "\(error?.message ?? "")")
    #expect(try lab.leases() == [])
    try pod.expectUnchanged(since: untouched)
    try outside.run { try TestProgram.ip("address del fd00:1::2/64 dev far") }
    let added = try lab.add(network, pod)
    try added.succeed()
    try lab.delete(network, pod).succeed()
    #expect(Witness.difference(from: before, to: try lab.picture()) == [])
  }

  @Test("tells the network outside who has its addresses now")
  func announcement() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = StackedPlugin.macvlan.network(in: lab)
    let ear = try outside.run { try FrameSocket(0x0806, on: "far") }
    // A frame is lost now and then, where a processor's queue is full.
    for number in 1...5 {
      let pod = try Pod("pod-\(number)")
      let addresses = try lab.add(network, pod).result().addresses.map(\.address.address)
      guard let frame = try ear.next() else { continue }
      // Ethernet's header is 14 bytes, the sender's protocol address stands 14 bytes into ARP.
      #expect(addresses.contains { $0.bytes.elementsEqual(frame.dropFirst(28).prefix(4)) })
      return
    }
    Issue.record("nothing is heard of five pods")
  }

  @Test("succeeds on a master that has no carrier for now")
  func noCarrier() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    try outside.run { try TestProgram.ip("link set far down") }
    let pod = try Pod("one")
    try lab.add(
      StackedPlugin.macvlan.network(in: lab, ipam: lab.hostLocal("10.1.2.0/24")), pod
    ).succeed()
    #expect(try pod.addresses() == ["10.1.2.2/24"])
  }

  @Test("has no room beside what else a master does")
  func busy() throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = StackedPlugin.macvlan.network(in: lab, ["mode": "passthru"])
    try lab.add(network, try Pod("one")).succeed()
    let before = try lab.picture()
    let second = try Pod("two")
    let untouched = try second.picture()
    #expect(
      try lab.add(network, second).error?.message.hasPrefix("failed to create macvlan") == true)
    try second.expectUnchanged(since: untouched)
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }
}
