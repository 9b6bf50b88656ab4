import CLinux
import Glibc

/// A flow that the kernel remembers.
public struct SeenFlow: Hashable, Sendable {
  /// The number of the transport protocol.
  public let transport: UInt8
  /// The first packet as it was sent: source, destination and their ports.
  public let original: SeenTuple
  /// A packet of the answer as it is sent.
  public let reply: SeenTuple
}

/// One direction of a flow.
public struct SeenTuple: Hashable, Sendable {
  /// Who sends.
  public let source: String
  /// Who gets it.
  public let destination: String
  /// The sender's port; 0 where there is none.
  public let sourcePort: UInt16
  /// The receiver's port; 0 where there is none.
  public let destinationPort: UInt16
}

/// Every flow of either family that the calling thread's network namespace remembers.
public func flows() throws(WitnessError) -> [SeenFlow] {
  let question = "list flows"
  let kernel = try Interrogation(protocol: NETLINK_NETFILTER, for: question)
  let type = Int(NFNL_SUBSYS_CTNETLINK) << 8 | Int(IPCTNL_MSG_CT_GET.rawValue)
  return try kernel.list(type, header: [UInt8(AF_UNSPEC), 0, 0, 0], for: question).map {
    let attributes = Attributes($0, from: 4)
    let original = attributes.nest(CTA_TUPLE_ORIG)
    return SeenFlow(
      transport: original.nest(CTA_TUPLE_PROTO)[CTA_PROTO_NUM]?.first ?? 0,
      original: SeenTuple(original), reply: SeenTuple(attributes.nest(CTA_TUPLE_REPLY)))
  }
}

extension SeenTuple {
  init(_ attributes: Attributes) {
    let addresses = attributes.nest(CTA_TUPLE_IP)
    let transport = attributes.nest(CTA_TUPLE_PROTO)
    source = AddressText.of(addresses[CTA_IP_V4_SRC] ?? addresses[CTA_IP_V6_SRC] ?? [])
    destination = AddressText.of(addresses[CTA_IP_V4_DST] ?? addresses[CTA_IP_V6_DST] ?? [])
    sourcePort = transport.networkNumber(CTA_PROTO_SRC_PORT) ?? 0
    destinationPort = transport.networkNumber(CTA_PROTO_DST_PORT) ?? 0
  }
}
