import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A port of the host", .needsRoot)
struct PortMapConflictTests {
  @Test("is given to one container: the next is refused, told who has it, and changes nothing")
  func conflict() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let two = try lab.attach("two")
    let first = try lab.map(one, .mapping(8080, 80), .mapping(9000, 90, "udp"))
    let before = try lab.lab.picture()
    let second = try lab.mappings(two, .mapping(7070, 70), .mapping(8080, 81))
    let refused = try lab.lab.add(second, two.pod)
    #expect(
      refused.error?.message
        == "IPv4 tcp port 8080 of the host leads to 10.1.2.2:80 already: it belongs to "
        + "id: one, net: net, if: eth0")
    #expect(refused.error?.code == .internalFailure)
    try lab.lab.expectUnchanged(since: before)
    // The refused one's DEL takes nothing from the holder, and after the holder's the port is free.
    try lab.lab.delete(second, two.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
    try lab.lab.delete(first, one.pod).succeed()
    try lab.lab.add(second, two.pod).succeed()
  }

  @Test("is another port for another protocol or another address of the host")
  func different() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let two = try lab.attach("two")
    _ = try lab.map(
      one, .mapping(53, 53, "udp"), .mapping(53, 53, "tcp", on: "192.0.2.1"))
    _ = try lab.map(
      two, .mapping(53, 53, "sctp"), .mapping(53, 53, "tcp", on: "10.1.2.1"),
      .mapping(53, 53, "UDP", on: "192.0.2.1"))
    #expect(try lab.elements("ports_v4").count == 2)
    #expect(try lab.elements("host_ports_v4").count == 3)
    #expect(try lab.elements("ports_v6").count == 2)
    #expect(try lab.elements("host_ports_v6").isEmpty)
  }

  @Test("is kept when the same attachment is added again, and follows what it asks for then")
  func again() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let network = try lab.map(one, .mapping(8080, 80), .mapping(8081, 81))
    let before = try lab.lab.picture()
    try lab.lab.add(network, one.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
    let changed = try lab.map(one, .mapping(8080, 8000), .mapping(8082, 82))
    let ports = try lab.elements("ports_v4").map { Array($0.key[4..<6]) + $0.value![4..<6] }
    #expect(Set(ports) == [[0x1f, 0x90, 0x1f, 0x40], [0x1f, 0x92, 0, 82]])
    try lab.lab.delete(changed, one.pod).succeed()
    #expect(try lab.elements("ports_v4").isEmpty)
  }

  @Test("is taken over when its holder's address was given out again: then the holder is gone")
  func takenOver() throws {
    let lab = try PortMapLab(subnet: "10.1.2.0/29")
    let one = try lab.attach("one")
    let first = try lab.map(one, .mapping(8080, 80))
    // The pod goes and nobody says DEL to portmap.
    try lab.lab.delete(lab.bridge, one.pod).succeed()
    var two = try lab.attach("two")
    while two.addresses[0] != one.addresses[0] {
      try lab.lab.delete(lab.bridge, two.pod).succeed()
      two = try lab.attach("two")
    }
    let second = try lab.map(two, .mapping(8080, 80))
    let after = try lab.lab.picture().filter { $0.contains("ports_v4") }
    // The late DEL of the first takes nothing from the second.
    try lab.lab.delete(first, one.pod).succeed()
    #expect(try lab.lab.picture().filter { $0.contains("ports_v4") } == after)
    try lab.lab.check(second, two.pod).succeed()
    try lab.lab.delete(second, two.pod).succeed()
    #expect(try lab.elements("ports_v4").isEmpty)
    #expect(try lab.elements("portmap_owners").isEmpty)
  }

  @Test("of a container on two networks stays with the first of them")
  func twoNetworks() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let first = try lab.map(one, .mapping(8080, 80))
    let other = first.with(["name": "other"])
    let before = try lab.lab.picture()
    try lab.lab.add(other, one.pod).succeed()
    try lab.lab.check(other, one.pod).succeed()
    try lab.lab.delete(other, one.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("is claimed by one of many at once")
  func race() async throws {
    let lab = try PortMapLab()
    let pods = try (1...8).map { try lab.attach("pod\($0)") }
    let networks = try pods.map { try lab.mappings($0, .mapping(8080, 80), .mapping(8081, 81)) }
    let outcomes = try await withThrowingTaskGroup { group in
      for (network, pod) in zip(networks, pods) {
        group.addTask { try await OwnThread.run { try lab.lab.add(network, pod.pod) } }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count { $0.exitCode == 0 } == 1)
    #expect(try lab.elements("ports_v4").count == 2)
    for (network, pod) in zip(networks, pods) { try lab.lab.delete(network, pod.pod).succeed() }
    #expect(try lab.elements("ports_v4").isEmpty)
    #expect(try lab.elements("portmap_owners").isEmpty)
    let rules = try lab.lab.host.run { try Witness.nftablesRules() }
    #expect(rules.count { $0.chain == "portmap" } == 2)
    #expect(rules.count { $0.chain == "portmap_postrouting" } == 1)
  }
}
