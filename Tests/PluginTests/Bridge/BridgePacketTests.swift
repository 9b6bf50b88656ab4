import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Packets over a bridge", .needsRoot)
struct BridgePacketTests {
  @Test("go between pods and between pod and host, in every size that DNS answers have")
  func everyWay() throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let before = try lab.settled(network)
    let pods = try ["one", "two"].map { try Pod($0) }
    let addresses = try pods.map { pod in
      try lab.add(network, pod).result().addresses.map(\.address.address.description)
    }
    for family in 0...1 {
      let gateway = ["10.1.2.1", "fd00:1::1"][family]
      let own = addresses[0][family]
      let other = addresses[1][family]
      #expect(try Traffic.pings(other, from: pods[0].namespace))
      #expect(try Traffic.pings(own, from: lab.host))
      for size in [1, 512, 1232, 1472, 1473, 4096] {
        let between = try Traffic.exchange(
          .udp, from: pods[0].namespace, to: pods[1].namespace, at: other, size: size)
        #expect(between == own, "\(size) bytes from pod to pod")
        let up = try Traffic.exchange(
          .udp, from: pods[0].namespace, to: lab.host, at: gateway, size: size)
        #expect(up == own, "\(size) bytes from pod to host")
        let down = try Traffic.exchange(
          .udp, from: lab.host, to: pods[0].namespace, at: own, size: size)
        #expect(down == gateway, "\(size) bytes from host to pod")
      }
      #expect(
        try Traffic.exchange(
          .tcp, from: pods[0].namespace, to: pods[1].namespace, at: other, size: 100_000) == own)
      #expect(
        try Traffic.exchange(.tcp, from: lab.host, to: pods[1].namespace, at: other) == gateway)
    }
    for pod in pods { try lab.delete(network, pod).succeed() }
    try lab.expectUnchanged(since: before)
  }

  @Test("to the outside bear the host's address with ipMasq, and the pod's own without")
  func masquerade() throws {
    for (isOn, sources) in [
      (true, ["192.0.2.1", "2001:db8::1"]), (false, ["10.1.2.2", "fd00:1::2"]),
    ] {
      let lab = try PluginLab()
      let outside = try lab.outside(knowing: "10.1.2.0/24", "fd00:1::/64")
      let pod = try Pod("one")
      let network = PairPlugin.bridge.network(in: lab).with(["ipMasq": .bool(isOn)])
      try lab.add(network, pod).succeed()
      for (address, source) in zip(["192.0.2.2", "2001:db8::2"], sources) {
        for transport in Traffic.Transport.allCases {
          let heard = try Traffic.exchange(
            transport, from: pod.namespace, to: outside, at: address)
          #expect(heard == source)
        }
        #expect(try Traffic.pings(address, from: pod.namespace))
      }
      let inward = try Traffic.exchange(
        .udp, from: outside, to: pod.namespace, at: "10.1.2.2")
      #expect(inward == "192.0.2.2", "nobody hides who comes from outside")
    }
  }

  @Test("between pods keep their source with ipMasq")
  func ownSubnet() throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    for (own, other) in [("10.1.2.2", "10.1.2.3"), ("fd00:1::2", "fd00:1::3")] {
      #expect(
        try Traffic.exchange(.tcp, from: pods[0].namespace, to: pods[1].namespace, at: other)
          == own)
    }
  }
}

extension PluginLab {
  /// Somebody beyond the host, who knows the way to these subnets through the host.
  ///
  ///     pods ── host 192.0.2.1, 2001:db8::1 ── 192.0.2.2, 2001:db8::2
  func outside(knowing subnets: String...) throws -> FreshNamespace {
    let outside = try FreshNamespace()
    try ip("link add out type veth peer name eth0 netns \(outside.path)")
    // The host forwards from its link-local address, and so waits until duplicates of it are out.
    try host.run { try Sysctl.write(["net", "ipv6", "conf", "out", "accept_dad"], "0") }
    for line in [
      "addr add 192.0.2.1/24 dev out", "addr add 2001:db8::1/64 dev out nodad", "link set out up",
    ] { try ip(line) }
    try outside.run {
      for line in [
        "addr add 192.0.2.2/24 dev eth0", "addr add 2001:db8::2/64 dev eth0 nodad",
        "link set eth0 up",
      ] { try TestProgram.ip(line) }
      for subnet in subnets {
        let via = subnet.contains(":") ? "2001:db8::1" : "192.0.2.1"
        try TestProgram.ip("route add \(subnet) via \(via)")
      }
    }
    return outside
  }
}
