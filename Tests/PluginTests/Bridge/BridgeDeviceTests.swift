import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("The bridge itself", .needsRoot)
struct BridgeDeviceTests {
  @Test("is made with the first pod, up, under its default name, and hears no router")
  func made() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network("bridge")
    #expect(try lab.link("cni0") == nil)
    try lab.add(network, pod).succeed()
    let bridge = try #require(try lab.link("cni0"))
    #expect(bridge.kind == "bridge")
    #expect(bridge.isUp)
    #expect(bridge.mtu == 1500)
    #expect(bridge.bridge?.filtersVLANs == false)
    #expect(bridge.promiscuity == 0)
    #expect(try lab.setting("ipv6", "conf", "cni0", "accept_ra") == "0")
    #expect(try lab.addresses(on: "cni0") == [])
  }

  @Test("gets the MTU that is asked for, and keeps it when others ask for another one")
  func mtu() throws {
    let lab = try PluginLab()
    let network = lab.network("bridge", ["bridge": "br7", "mtu": 1400])
    try lab.add(network, try Pod("one")).succeed()
    #expect(try lab.link("br7")?.mtu == 1400)
    let pod = try Pod("two")
    try lab.add(network.with(["mtu": 1300]), pod).succeed()
    #expect(try lab.link("br7")?.mtu == 1300, "the kernel follows the smallest port by default")
    #expect(try pod.link()?.mtu == 1300)
  }

  @Test("that is there already keeps its MTU, its addresses and its hardware address")
  func found() throws {
    let lab = try PluginLab()
    try lab.ip("link add cni0 address 02:00:5e:00:00:07 mtu 9000 type bridge")
    try lab.ip("addr add 192.0.2.1/24 dev cni0")
    let pod = try Pod("one")
    let outcome = try lab.add(lab.network("bridge", ["mtu": 9000]), pod)
    try outcome.succeed()
    let bridge = try #require(try lab.link("cni0"))
    #expect(bridge.hardwareAddress == "02:00:5e:00:00:07")
    #expect(bridge.mtu == 9000)
    #expect(bridge.isUp)
    #expect(try lab.addresses(on: "cni0") == ["192.0.2.1/24"])
    #expect(try outcome.result().interfaces[0].hardwareAddressText == "02:00:5e:00:00:07")
  }

  @Test("is refused, and nothing changes, when its name belongs to a link of another kind")
  func otherKind() throws {
    let lab = try PluginLab()
    try lab.ip("link add cni0 type veth peer name other0")
    let before = try lab.picture()
    let pod = try Pod("one")
    let error = try lab.add(lab.network("bridge"), pod).error
    #expect(
      error?.message
        == "failed to create bridge \"cni0\": \"cni0\" already exists but is not a bridge")
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }

  @Test("takes frames for anybody when promiscMode is on, also if it was there before")
  func promiscuous() throws {
    let lab = try PluginLab()
    let plain = lab.network("bridge")
    try lab.add(plain, try Pod("one")).succeed()
    #expect(try lab.link("cni0")?.promiscuity == 0)
    let promiscuous = plain.with(["promiscMode": true])
    for name in ["two", "three"] { try lab.add(promiscuous, try Pod(name)).succeed() }
    #expect(try lab.link("cni0")?.promiscuity == 1)
  }

  @Test("keeps its hardware address and its number while pods come and go")
  func steady() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "bridge", ["isGateway": true], ipam: lab.hostLocal("10.1.2.0/24"))
    let keeper = try Pod("keeper")
    try lab.add(network, keeper).succeed()
    let bridge = try #require(try lab.link("cni0"))
    // Lower and lower addresses: a bridge that follows its lowest port would follow each of them.
    for round in (1...20).reversed() {
      let pod = try Pod("pod-\(round)")
      let mac = "00:00:00:00:00:\(round < 16 ? "0" : "")\(String(round, radix: 16))"
      let asking = network.with(["args": ["cni": ["mac": .string(mac)]]])
      try lab.add(asking, pod).succeed()
      let now = try #require(try lab.link("cni0"))
      #expect(
        [now.hardwareAddress, "\(now.index)"] == [bridge.hardwareAddress, "\(bridge.index)"])
      if round % 2 == 0 { try lab.delete(asking, pod).succeed() }
    }
    #expect(try lab.link("cni0")?.hardwareAddress == bridge.hardwareAddress)
    #expect(try !lab.ports().map(\.hardwareAddress).contains(bridge.hardwareAddress))
    #expect(try lab.reaches(keeper, ["10.1.2.2"]))
  }

  @Test("stays one bridge with one address of each family when eight first pods come at once")
  func firstPods() async throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let outcomes = try await withThrowingTaskGroup { group in
      for number in 1...8 {
        group.addTask {
          try await OwnThread.run {
            let pod = try Pod("pod-\(number)")
            return (pod, try lab.add(network, pod))
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.compactMap { $0.1.error?.message } == [])
    #expect(try lab.ports().count == 8)
    #expect(try lab.addresses(on: "cni0").sorted() == ["10.1.2.1/24", "fd00:1::1/64"])
    let macs = try outcomes.map { try $0.1.result().interfaces[0].hardwareAddressText }
    #expect(Set(macs) == [try #require(try lab.link("cni0")).hardwareAddress])
    for (pod, outcome) in outcomes {
      let addresses = try outcome.result().addresses.map(\.address.address.description)
      #expect(try lab.reaches(pod, addresses))
    }
  }
}
