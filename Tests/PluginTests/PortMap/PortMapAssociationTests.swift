import Addressing
import CNI
import Linux
import TestSupport
import Testing
import Witness

/// SCTP through a mapped port, where no kernel here speaks it: its first packets are made up.
@Suite("SCTP to a mapped port", .needsRoot)
struct PortMapAssociationTests {
  @Test("reaches the pod's port with a right checksum, and the answer comes from the host's")
  func thereAndBack() throws {
    let lab = try PortMapLab()
    let pod = try lab.attach("one")
    let network = try lab.map(pod, .mapping(36412, 2905, "sctp"))
    let stranger = try Self.hardware("eth0", of: lab.outside)
    let router = try Self.hardware("out", of: lab.lab.host)
    let gateway = try Self.hardware("cni0", of: lab.lab.host)
    let own = try Self.hardware("eth0", of: pod.pod.namespace)

    let question = try ForgedFrame.association(
      from: (stranger, "192.0.2.2", 4000), to: (router, "192.0.2.1", 36412))
    let asked = try #require(
      try Self.pass(question, from: lab.outside, "eth0", to: pod.pod.namespace, "eth0"))
    #expect(asked.source == "192.0.2.2:4000" && asked.target == "\(pod.addresses[0]):2905")
    #expect(asked.isIntact)

    let answer = try ForgedFrame.association(
      from: (own, pod.addresses[0], 2905), to: (gateway, "192.0.2.2", 4000), isAnswer: true)
    let answered = try #require(
      try Self.pass(answer, from: pod.pod.namespace, "eth0", to: lab.outside, "eth0"))
    #expect(answered.source == "192.0.2.1:36412" && answered.target == "192.0.2.2:4000")
    #expect(answered.isIntact)

    try lab.lab.delete(network, pod.pod).succeed()
    let late = try ForgedFrame.association(
      from: (stranger, "192.0.2.2", 4001), to: (router, "192.0.2.1", 36412))
    #expect(
      try Self.pass(late, from: lab.outside, "eth0", to: pod.pod.namespace, "eth0", times: 2) == nil
    )
  }

  /// A packet of SCTP that has come.
  private struct Packet {
    let source: String
    let target: String
    let isIntact: Bool

    /// Reads a frame of IPv4 without options; nil for everything but SCTP.
    init?(_ frame: [UInt8]) {
      guard frame.count >= 46, frame[14] == 0x45, frame[23] == 132 else { return nil }
      let length = Int(frame[16]) << 8 | Int(frame[17])
      var segment = Array(frame[34..<min(frame.count, 14 + length)])
      let ports = [0, 2].map { UInt16(segment[$0]) << 8 | UInt16(segment[$0 + 1]) }
      func text(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { "\($0)" }.joined(separator: ".")
      }
      source = "\(text(frame[26..<30])):\(ports[0])"
      target = "\(text(frame[30..<34])):\(ports[1])"
      let sum = (0..<4).reduce(UInt32(0)) { $0 | UInt32(segment[8 + $1]) << UInt32(8 * $1) }
      segment.replaceSubrange(8..<12, with: [0, 0, 0, 0])
      isIntact = CRC32C.of(segment) == sum
    }
  }

  /// Sends a frame until it is heard at the other end: one is lost now and then.
  private static func pass(
    _ frame: ForgedFrame, from: borrowing FreshNamespace, _ link: String,
    to: borrowing FreshNamespace, _ ear: String, times: Int = 10
  ) throws -> Packet? {
    let heard = try to.run { try FrameSocket(0x0800, on: ear, patience: .milliseconds(500)) }
    for _ in 1...times {
      try from.run { try FrameSocket.send(frame.bytes, by: link) }
      while let bytes = try heard.next() { if let packet = Packet(bytes) { return packet } }
    }
    return nil
  }

  /// The hardware address of a link.
  private static func hardware(
    _ link: String, of namespace: borrowing FreshNamespace
  ) throws -> HardwareAddress {
    let links = try namespace.run { try Witness.links() }
    return try HardwareAddress(try #require(links.first { $0.name == link }).hardwareAddress)
  }
}
