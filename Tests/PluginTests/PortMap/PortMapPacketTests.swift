import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Packets to a mapped port", .needsRoot)
struct PortMapPacketTests {
  /// A family's addresses in the lab.
  struct Family: Sendable, CustomTestStringConvertible {
    let place: Int
    let host: String
    let outside: String
    let gateway: String
    var testDescription: String { place == 0 ? "IPv4" : "IPv6" }

    static let all = [
      Family(place: 0, host: "192.0.2.1", outside: "192.0.2.2", gateway: "10.1.2.1"),
      Family(place: 1, host: "2001:db8::1", outside: "2001:db8::2", gateway: "fd00:1::1"),
    ]
  }

  @Test(
    "reach the pod from everywhere, with the speaker's own address unless the answer would stray",
    arguments: Traffic.Transport.allCases, Family.all)
  func everyWay(_ transport: Traffic.Transport, _ family: Family) throws {
    let lab = try PortMapLab()
    let before = try lab.settled()
    let pod = try lab.attach("one")
    let sibling = try lab.attach("two")
    let server = try Listener(transport, in: pod.pod.namespace, at: pod.addresses[family.place])
    let network = try lab.map(pod, .mapping(8080, server.port, transport.name))

    #expect(
      try server.source(of: lab.outside, speakingTo: family.host, port: 8080) == family.outside)
    #expect(try server.source(of: lab.lab.host, speakingTo: family.host, port: 8080) == family.host)
    // The answer would go straight to the sibling, who waits for one from the host.
    #expect(
      try server.source(of: sibling.pod.namespace, speakingTo: family.host, port: 8080)
        == family.gateway)
    #expect(
      try server.source(of: pod.pod.namespace, speakingTo: family.host, port: 8080)
        == family.gateway)
    if family.place == 0 {
      #expect(
        try server.source(of: lab.lab.host, speakingTo: "127.0.0.1", port: 8080) == family.gateway)
    }
    // Another port, and another protocol, are not mapped.
    #expect(try server.stray(of: lab.outside, speakingTo: family.host, port: 8081) == nil)

    try lab.lab.delete(network, pod.pod).succeed()
    #expect(try server.stray(of: lab.outside, speakingTo: family.host, port: 8080) == nil)
    #expect(try server.stray(of: lab.lab.host, speakingTo: family.host, port: 8080) == nil)
    for one in [pod, sibling] { try lab.lab.delete(lab.bridge, one.pod).succeed() }
    try lab.lab.expectUnchanged(since: before)
  }
}
