import CNI
import JSON
import TestSupport
import Testing

@Suite("A mapping of consecutive ports", .needsRoot)
struct PortMapRangeTests {
  private static func mapping(_ host: Int, _ pod: Int, _ range: Int, _ transport: String = "tcp")
    -> JSONValue
  {
    [
      "hostPort": .integer(host), "containerPort": .integer(pod), "range": .integer(range),
      "protocol": .string(transport),
    ]
  }

  @Test("leads each port to the one of the pod as far from the first, and goes with DEL")
  func range() throws {
    let lab = try PortMapLab()
    let before = try lab.settled()
    let pod = try lab.attach("one")
    let server = try Listener(.tcp, in: pod.pod.namespace, at: pod.addresses[0])
    let first = Int(server.port) - 500
    let network = try lab.map(
      pod, Self.mapping(8000, first, 1000), Self.mapping(7000, 70, 0, "udp"))
    #expect(try lab.elements("ports_v4").count == 1001)
    #expect(try lab.elements("ports_v6").count == 1001)
    try lab.lab.check(network, pod.pod).succeed()
    // Its neighbours lead to ports beside it, where nobody is.
    for (port, source) in [(8500, "192.0.2.2"), (8499, nil), (8501, nil)] as [(UInt16, String?)] {
      #expect(
        try server.source(of: lab.outside, speakingTo: "192.0.2.1", port: port) == source)
    }

    let other = try lab.attach("two")
    let taken = try lab.lab.add(lab.mappings(other, Self.mapping(8500, 80, 2)), other.pod).error
    #expect(taken?.message.contains("tcp port 8500 of the host leads to") == true)

    try lab.lab.delete(network, pod.pod).succeed()
    #expect(try lab.elements("ports_v4").isEmpty)
    try lab.lab.delete(lab.bridge, pod.pod).succeed()
    try lab.lab.delete(lab.bridge, other.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
  }

  @Test(
    "is refused where it is too long or leaves the ports there are",
    arguments: [(8000, 80, 1025), (65000, 80, 600), (80, 65535, 2), (8000, 80, -1)])
  func refused(_ host: Int, _ pod: Int, _ range: Int) throws {
    let lab = try PortMapLab()
    let attached = try lab.attach("one")
    let before = try lab.lab.picture()
    let network = try lab.mappings(attached, Self.mapping(host, pod, range))
    let error = try lab.lab.add(network, attached.pod).error
    #expect(error?.code == .invalidConfiguration)
    #expect(error?.message.contains("runtimeConfig.portMappings[0].range") == true)
    try lab.lab.expectUnchanged(since: before)
  }
}
