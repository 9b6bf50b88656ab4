import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A datagram has no end, so a client that keeps sending keeps going where it went.
@Suite("Flows of datagrams", .needsRoot)
struct PortMapFlowTests {
  @Test("follow the port from pod to pod, though the client never stops sending")
  func follow() throws {
    for place in 0...1 {
      let host = ["192.0.2.1", "2001:db8::1"][place]
      let lab = try PortMapLab()
      let one = try lab.attach("one")
      let two = try lab.attach("two")
      let first = try Listener(.udp, in: one.pod.namespace, at: one.addresses[place])
      let second = try Listener(.udp, in: two.pod.namespace, at: two.addresses[place])
      // The client begins before there is a mapping, and conntrack remembers where he went.
      _ = try lab.map(two, .mapping(1, 1, "udp"))
      let client = try #require(
        try Speaker(.udp, in: lab.outside, to: host, port: 8053))
      #expect(try first.source(of: client) == nil)
      let firstMapping = try lab.map(one, .mapping(8053, first.port, "udp"))
      #expect(try Traffic.persist { try first.source(of: client) } != nil)
      try lab.lab.delete(firstMapping, one.pod).succeed()
      let secondMapping = try lab.map(
        two, .mapping(1, 1, "udp"), .mapping(8053, second.port, "udp"))
      #expect(try Traffic.persist { try second.source(of: client) } != nil)
      try lab.lab.delete(secondMapping, two.pod).succeed()
      let flows = try lab.lab.host.run { try Witness.flows() }
      #expect(!flows.contains { $0.original.destinationPort == 8053 })
    }
  }

  @Test("of others stay: other ports, protocols, hosts, and mappings of one address (S10, L08)")
  func others() throws {
    let lab = try PortMapLab()
    let one = try lab.attach("one")
    let two = try lab.attach("two")
    _ = try lab.map(two, .mapping(53, 5353, "udp", on: "10.1.2.1"))
    try lab.lab.host.run {
      for line in [
        // Through the host to a resolver elsewhere.
        "-p udp -s 10.1.2.3 -d 198.51.100.1 --sport 1001 --dport 53",
        // To the host at another port, and by another protocol.
        "-p udp -s 192.0.2.2 -d 192.0.2.1 --sport 1002 --dport 54",
        "-p tcp --state ESTABLISHED -s 192.0.2.2 -d 192.0.2.1 --sport 1003 --dport 53",
        // To the address whose mapping leads to the other pod.
        "-p udp -s 10.1.2.2 -d 10.1.2.1 --sport 1004 --dport 53 --reply-src 10.1.2.3 "
          + "--reply-dst 10.1.2.2 --reply-port-src 5353 --reply-port-dst 1004",
        // To a service's address that is not the host's.
        "-p udp -s 10.1.2.2 -d 10.96.0.10 --sport 1005 --dport 53 --reply-src 10.1.2.3 "
          + "--reply-dst 10.1.2.2 --reply-port-src 5353 --reply-port-dst 1005",
        // To the host before there was a mapping, and to a pod that is gone.
        "-p udp -s 192.0.2.2 -d 192.0.2.1 --sport 1006 --dport 53",
        "-p udp -s 192.0.2.2 -d 192.0.2.1 --sport 1007 --dport 53 --reply-src 10.1.2.99 "
          + "--reply-dst 192.0.2.2 --reply-port-src 53 --reply-port-dst 1007",
        // To the pod itself, as the mapping says.
        "-p udp -s 192.0.2.2 -d 192.0.2.1 --sport 1008 --dport 53 --reply-src 10.1.2.2 "
          + "--reply-dst 192.0.2.2 --reply-port-src 5300 --reply-port-dst 1008",
      ] { try TestProgram.remember(flow: line) }
    }
    func left() throws -> [UInt16] {
      try lab.lab.host.run { try Witness.flows() }.map(\.original.sourcePort)
        .filter { 1001...1008 ~= $0 }.sorted()
    }
    #expect(try left() == Array(1001...1008))
    let network = try lab.map(one, .mapping(53, 5300, "udp"), .mapping(54, 80, "tcp"))
    #expect(try left() == [1001, 1002, 1003, 1004, 1005, 1008])
    try lab.lab.delete(network, one.pod).succeed()
    #expect(try left() == [1001, 1002, 1003, 1004, 1005])
  }
}
