import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("ptp", .needsRoot)
struct PTPTests {
  @Test("answers with the host's end, the pod's end, and addresses on the latter")
  func result() throws {
    let lab = try PluginLab()
    let network = PairPlugin.ptp.network(in: lab).with(["mtu": 1400])
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    let result = try added.result()
    let inside = try #require(try pod.link())
    #expect(result.interfaces.count == 2)
    let host = try #require(try lab.link(result.interfaces[0].name))
    #expect(result.interfaces[0].hardwareAddressText == host.hardwareAddress)
    #expect(result.interfaces[0].sandbox == "")
    #expect(result.interfaces[1].name == "eth0")
    #expect(result.interfaces[1].hardwareAddressText == inside.hardwareAddress)
    #expect(result.interfaces[1].sandbox == pod.path)
    #expect(result.addresses.map(\.address.description) == ["10.1.2.3/24", "fd00:1::3/64"])
    #expect(result.addresses.map(\.interface) == [1, 1])
    #expect(host.alias == "swift-cni:net/one/eth0")
    #expect(host.name.wholeMatch(of: /veth[0-9a-f]{8}/) != nil)
    #expect([host.mtu, inside.mtu] == [1400, 1400])
    #expect([host.isRunning, inside.isRunning] == [true, true])
    #expect([host.master, inside.master] == [nil, nil])
    #expect(try lab.setting("ipv6", "conf", host.name, "accept_ra") == "0")
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
  }

  @Test("leads the pod through the gateway to all of its subnet, and the host to the pod")
  func routes() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let result = try lab.add(PairPlugin.ptp.network(in: lab), pod).result()
    #expect(
      try pod.routes() == [
        "0.0.0.0/0 via 10.1.2.1", "10.1.2.0/24 via 10.1.2.1 from 10.1.2.2",
        "10.1.2.1/32 from 10.1.2.2", "::/0 via fd00:1::1",
        "fd00:1::/64 via fd00:1::1 from fd00:1::2",
        "fd00:1::1/128 from fd00:1::2",
      ])
    let host = result.interfaces[0].name
    #expect(try lab.addresses(on: host).sorted() == ["10.1.2.1/32", "fd00:1::1/128"])
    let index = try lab.link(host)?.index
    let leading = try lab.host.run { try Witness.routes() }
      .filter { $0.linkIndex == index && $0.table == 254 }.map(\.destination)
    #expect(Set(leading).isSuperset(of: ["10.1.2.2/32", "fd00:1::2/128"]))
    #expect(try lab.setting("ipv4", "ip_forward") == "1")
    #expect(try lab.setting("ipv6", "conf", "all", "forwarding") == "1")
  }

  @Test("carries packets between pod and host and between pods, by way of the host")
  func packets() throws {
    let lab = try PluginLab()
    let network = PairPlugin.ptp.network(in: lab).with(["ipMasq": false])
    let before = try lab.settled(network)
    let pods = try ["one", "two"].map { try Pod($0) }
    let addresses = try pods.map { pod in
      try lab.add(network, pod).result().addresses.map(\.address.address.description)
    }
    for family in 0...1 {
      let gateway = ["10.1.2.1", "fd00:1::1"][family]
      let own = addresses[0][family]
      let other = addresses[1][family]
      #expect(try Traffic.pings(gateway, from: pods[0].namespace))
      #expect(try Traffic.pings(own, from: lab.host))
      #expect(try Traffic.pings(other, from: pods[0].namespace))
      for size in [1, 512, 1232, 1473, 4096] {
        for transport in Traffic.Transport.allCases {
          let across = try Traffic.exchange(
            transport, from: pods[0].namespace, to: pods[1].namespace, at: other, size: size)
          #expect(across == own, "\(size) bytes from pod to pod")
          let up = try Traffic.exchange(
            transport, from: pods[0].namespace, to: lab.host, at: gateway, size: size)
          #expect(up == own, "\(size) bytes from pod to host")
        }
      }
    }
    for pod in pods { try lab.delete(network, pod).succeed() }
    try lab.expectUnchanged(since: before)
  }

  @Test("hides pods behind the host with ipMasq, but not from one another")
  func masquerade() throws {
    for (isOn, sources) in [
      (true, ["192.0.2.1", "2001:db8::1"]), (false, ["10.1.2.2", "fd00:1::2"]),
    ] {
      let lab = try PluginLab()
      let outside = try lab.outside(knowing: "10.1.2.0/24", "fd00:1::/64")
      let pods = try ["one", "two"].map { try Pod($0) }
      let network = PairPlugin.ptp.network(in: lab).with(["ipMasq": .bool(isOn)])
      for pod in pods { try lab.add(network, pod).succeed() }
      for (address, source) in zip(["192.0.2.2", "2001:db8::2"], sources) {
        for transport in Traffic.Transport.allCases {
          let heard = try Traffic.exchange(
            transport, from: pods[0].namespace, to: outside, at: address)
          #expect(heard == source)
        }
      }
      for (own, other) in [("10.1.2.2", "10.1.2.3"), ("fd00:1::2", "fd00:1::3")] {
        let heard = try Traffic.exchange(
          .tcp, from: pods[0].namespace, to: pods[1].namespace, at: other)
        #expect(heard == own)
      }
    }
  }

  @Test("takes two addresses that share a gateway, and addresses without a subnet")
  func unusualAddresses() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "ptp",
      ipam: [
        "type": "static",
        "addresses": [
          ["address": "10.1.2.5/24", "gateway": "10.1.2.1"],
          ["address": "10.1.2.6/24", "gateway": "10.1.2.1"],
          ["address": "10.3.0.7/32", "gateway": "10.3.0.1"],
          ["address": "fd00:1::5/128", "gateway": "fd00:1::1"],
        ], "routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]],
      ])
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    try added.succeed()
    for address in ["10.1.2.5", "10.1.2.6", "10.3.0.7", "fd00:1::5"] {
      #expect(try Traffic.pings(address, from: lab.host), "\(address)")
    }
    try lab.check(network.after(added), pod).succeed()
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("gives routes every property that the IPAM plugin asks for")
  func routeProperties() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = lab.network(
      "ptp",
      ipam: lab.hostLocal(
        "10.1.2.0/24",
        keys: [
          "routes": [
            ["dst": "192.0.2.0/24", "mtu": 1400, "advmss": 1300, "priority": 77],
            ["dst": "198.51.100.0/24", "table": 1000],
          ]
        ]))
    let added = try lab.add(network, pod)
    try added.succeed()
    let routes = try pod.run { try Witness.routes() }
    let full = try #require(routes.first { $0.destination == "192.0.2.0/24" })
    #expect([full.mtu, full.advertisedMSS, full.priority, full.table] == [1400, 1300, 77, 254])
    #expect(full.gateway == "10.1.2.1")
    #expect(routes.first { $0.destination == "198.51.100.0/24" }?.table == 1000)
    try lab.check(network.after(added), pod).succeed()
  }

  static let refusals = [
    Refusal("without IPAM", ["ipam": nil], says: "no plugin name provided"),
    Refusal("of empty IPAM", ["ipam": [:]], says: "no plugin name provided"),
    Refusal(
      "without a gateway", ["ipam": ["type": "static", "addresses": [["address": "10.1.2.3/24"]]]],
      says: "IPAM plugin gave no gateway for 10.1.2.3/24"),
    Refusal(
      "of an unknown masquerading backend", ["ipMasqBackend": "ebtables"],
      says: "unknown ipmasq backend \"ebtables\""),
    Refusal("of no size", ["mtu": -1], says: "mtu"),
  ]

  @Test("refuses a network", arguments: refusals)
  func refused(_ refusal: Refusal) throws {
    let lab = try PluginLab()
    let network = PairPlugin.ptp.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let error = try lab.add(network.with(refusal.keys), pod).error
    #expect(error?.message.contains(refusal.says) == true)
    #expect(error?.code == .invalidConfiguration)
    try lab.expectUnchanged(since: before)
    #expect(try pod.link() == nil)
  }
}
