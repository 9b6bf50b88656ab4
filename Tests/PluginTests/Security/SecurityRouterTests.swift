import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

extension SecurityTests {
  @Suite("A pod that plays the router")
  struct Routers {
    /// A network of pods, by what it promises them.
    struct Case: Sendable, CustomTestStringConvertible {
      let plugin: PairPlugin
      let hasIPv6: Bool
      var testDescription: String { "\(plugin), \(hasIPv6 ? "both families" : "IPv4 alone")" }
    }

    static let cases = PairPlugin.allCases.flatMap { plugin in
      [true, false].map { Case(plugin: plugin, hasIPv6: $0) }
    }

    static let prefix = "2001:db8:bad::"

    @Test(
      "is believed by neither host nor sibling, whatever it advertises (CVE-2020-10749, S03)",
      arguments: cases)
    func advertisements(_ example: Case) throws {
      let lab = try PluginLab()
      let subnets =
        example.hasIPv6
        ? lab.hostLocal("10.1.2.0/24", "fd00:1::/64") : lab.hostLocal("10.1.2.0/24")
      let network = example.plugin.network(in: lab, ipam: subnets)
      let liar = try Pod("liar")
      let sibling = try Pod("sibling")
      let added = try lab.add(network, liar).result()
      try lab.add(network, sibling).succeed()
      let port = example.plugin == .bridge ? "cni0" : try #require(added.interfaces.first).name
      // Every believer would say so by a route or an address.
      let advertise = try Self.advertisement(of: liar)
      let tally = GateTally()
      for _ in 1...5 { try liar.run { try FrameSocket.send(advertise.bytes, by: "eth0") } }

      // Those who listen to routers hear the very same, so the others have had the time to.
      try Self.believe(true, port, lab.host)
      let hostBelieves = try Self.waitUntilBelieved(in: lab.host, advertise, liar)
      #expect(hostBelieves, "the host's \(port) can be told")
      if example.plugin == .bridge {
        tally.point(try !Self.isBelieved(in: sibling.namespace), "the sibling believes")
        try Self.believe(true, "eth0", sibling.namespace)
        #expect(try Self.waitUntilBelieved(in: sibling.namespace, advertise, liar))
      }

      // What ADD has set is what keeps them from it.
      let second = try PluginLab()
      let again = example.plugin.network(
        in: second,
        ipam: example.hasIPv6
          ? second.hostLocal("10.1.2.0/24", "fd00:1::/64") : second.hostLocal("10.1.2.0/24"))
      let one = try Pod("one")
      let two = try Pod("two")
      try second.add(again, one).succeed()
      try second.add(again, two).succeed()
      let lie = try Self.advertisement(of: one)
      for _ in 1...20 {
        try one.run { try FrameSocket.send(lie.bytes, by: "eth0") }
        MonotonicTime.sleep(for: .milliseconds(10))
      }
      tally.point(try !Self.isBelieved(in: second.host), "the host believes")
      tally.point(try !Self.isBelieved(in: two.namespace), "a sibling believes")
      try GateReport.tell(
        "router advertisements of a pod, \(example.testDescription)", [.hijacks],
        ours: tally.figures)
    }

    /// An advertisement to all hosts of the link, as a router sends it.
    private static func advertisement(of pod: Pod) throws -> ForgedFrame {
      let own = try HardwareAddress(try #require(try pod.link()).hardwareAddress)
      return try .router(
        offering: prefix, from: (own, "fe80::bad"),
        to: (try HardwareAddress("33:33:00:00:00:01"), "ff02::1"))
    }

    private static func believe(
      _ isOn: Bool, _ link: String, _ namespace: borrowing FreshNamespace
    ) throws {
      try namespace.run {
        // 2: also where packets are forwarded.
        for (key, value) in [("accept_ra", isOn ? "2" : "0"), ("autoconf", "1")] {
          try Sysctl.write(["net", "ipv6", "conf", link, key], value)
        }
      }
    }

    private static func isBelieved(in namespace: borrowing FreshNamespace) throws -> Bool {
      try namespace.run {
        try Witness.routes().contains { route in
          route.gateway == "fe80::bad" || route.destination.hasPrefix("2001:db8:bad:")
        }
      }
    }

    private static func waitUntilBelieved(
      in namespace: borrowing FreshNamespace, _ frame: ForgedFrame, _ pod: Pod
    ) throws -> Bool {
      for _ in 1...1200 {
        try pod.run { try FrameSocket.send(frame.bytes, by: "eth0") }
        MonotonicTime.sleep(for: .milliseconds(50))
        if try isBelieved(in: namespace) { return true }
      }
      return false
    }
  }
}
