import Addressing
import Plumbing
import TestSupport
import Testing

@Suite("Packets of a masqueraded pod", .needsRoot)
struct MasqueradePacketTests {
  /// What a pod does, and whom the outside is to hear.
  struct Case: Sendable, CustomTestStringConvertible {
    let transport: PacketLab.Transport
    let destination: String
    let heard: String
    let testDescription: String
  }

  static let cases = [
    Case(
      transport: .udp, destination: "192.0.2.2", heard: "192.0.2.1",
      testDescription: "UDP leaves under the host's address"),
    Case(
      transport: .tcp, destination: "192.0.2.2", heard: "192.0.2.1",
      testDescription: "TCP leaves under the host's address"),
    Case(
      transport: .udp, destination: "2001:db8::2", heard: "2001:db8::1",
      testDescription: "UDP over IPv6 leaves under the host's address"),
    Case(
      transport: .tcp, destination: "2001:db8::2", heard: "2001:db8::1",
      testDescription: "TCP over IPv6 leaves under the host's address"),
    Case(
      transport: .udp, destination: "10.1.2.9", heard: "10.1.2.2",
      testDescription: "UDP to its own subnet keeps its source"),
    Case(
      transport: .tcp, destination: "10.1.2.9", heard: "10.1.2.2",
      testDescription: "TCP to its own subnet keeps its source"),
    Case(
      transport: .udp, destination: "fd00::9", heard: "fd00::2",
      testDescription: "UDP to its own IPv6 subnet keeps its source"),
    Case(
      transport: .tcp, destination: "fd00::9", heard: "fd00::2",
      testDescription: "TCP to its own IPv6 subnet keeps its source"),
  ]

  @Test("are heard as they should be", arguments: cases)
  func unicast(_ item: Case) throws {
    let lab = try PacketLab()
    try lab.host.run { try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)]) }
    let heard = try lab.source(of: item.transport, from: lab.pod, to: item.destination)
    #expect(heard == item.heard)
  }

  @Test(
    "keep their source once masquerading has stopped",
    arguments: ["192.0.2.2", "2001:db8::2"])
  func stopped(_ destination: String) throws {
    let lab = try PacketLab()
    try lab.host.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      try Masquerade.add(for: .pod("two"), addresses: [.v4(3), .v6(3)])
      try Masquerade.remove(for: .pod("one"))
    }
    let heard = try lab.source(of: .udp, from: lab.pod, to: destination)
    #expect(heard == (destination.contains(":") ? "fd00::2" : "10.1.2.2"))
  }

  /// Multicast is not forwarded without a daemon, so the host itself speaks with the pod's address.
  @Test(
    "keep their source when many are spoken to",
    arguments: [
      ("10.1.2.2", "239.1.2.3", "192.0.2.2", "192.0.2.1"),
      ("fd00::2", "ff05::4242", "2001:db8::2", "2001:db8::1"),
    ])
  func multicast(_ own: String, _ group: String, _ single: String, _ host: String) throws {
    let lab = try PacketLab()
    try lab.host.run {
      for line in [
        "route del 10.1.2.2/32 dev topod", "route del fd00::2/128 dev topod",
        "addr add 10.1.2.2/32 dev lo", "addr add fd00::2/128 dev lo nodad",
      ] { try PacketLab.ip(line) }
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
    }
    let toGroup = try lab.source(of: .udp, from: lab.host, to: group, boundTo: own)
    let toOne = try lab.source(of: .udp, from: lab.host, to: single, boundTo: own)
    #expect(toGroup == own)
    #expect(toOne == host)
  }

  @Test("are told apart by prefix length: an address of another length than a neighbour's")
  func prefixLengths() throws {
    let lab = try PacketLab()
    try lab.host.run {
      try Masquerade.add(for: .pod("two"), addresses: [.v4(3)])
      // Its own subnet is 10.1.2.0/30, so 10.1.2.9 lies outside.
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2, 30)])
    }
    let heard = try lab.source(of: .udp, from: lab.pod, to: "10.1.2.9")
    #expect(heard == "192.0.2.1")
  }
}
