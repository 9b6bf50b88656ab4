public import Addressing
internal import Netlink

/// A connection or an exchange of datagrams that the kernel remembers.
///
/// Packets of a flow that is remembered go where its first packet went, whatever rules say by now.
///
/// Kernel name: `struct nf_conn`.
public struct Flow: Hashable, Sendable {
  /// TCP, UDP and so on, by number.
  public let transport: UInt8
  /// The first packet as it was sent.
  public let original: Tuple
  /// A packet of the answer as it is sent, before addresses are translated back.
  public let reply: Tuple
  /// The flow as the kernel tells it apart: first direction, zone, number.
  let identity: Identity

  /// Between whom packets of one direction pass.
  public struct Tuple: Hashable, Sendable {
    /// Who sends.
    public let source: IPAddress
    /// Who gets it.
    public let destination: IPAddress
    /// The sender's port.
    public let sourcePort: UInt16
    /// The receiver's port.
    public let destinationPort: UInt16
  }

  /// The attributes by which the kernel finds a flow again, and no other, as it wrote them.
  struct Identity: Hashable, Sendable {
    let original: [UInt8]
    let zone: [UInt8]?
    let number: [UInt8]?
  }

  /// Whether the flow goes to another place than its first packet was sent to.
  public var isRedirected: Bool {
    reply.source != original.destination || reply.sourcePort != original.destinationPort
  }

  /// Reads a flow of a listing; nil if it has no ports, or is of a kind that has no words here.
  init?(_ message: Message) {
    let attributes = message.attributes(after: ConntrackNumber.headerByteCount)
    guard let first = attributes[FlowAttribute.original],
      let second = attributes[FlowAttribute.reply],
      let transport = Tuple.transport(first),
      let original = Tuple(first), let reply = Tuple(second)
    else { return nil }
    self.transport = transport
    self.original = original
    self.reply = reply
    identity = Identity(
      original: Array(first.bytes),
      zone: attributes[FlowAttribute.zone].map { Array($0.bytes) },
      number: attributes[FlowAttribute.identifier].map { Array($0.bytes) })
  }
}

extension Flow.Tuple {
  fileprivate init?(_ attribute: Attribute) {
    guard let addresses = attribute.attributes[TupleAttribute.addresses]?.attributes,
      let transport = attribute.attributes[TupleAttribute.transport]?.attributes,
      let sourceBytes = addresses[TupleAttribute.sourceV4] ?? addresses[TupleAttribute.sourceV6],
      let destinationBytes = addresses[TupleAttribute.destinationV4]
        ?? addresses[TupleAttribute.destinationV6],
      let source = IPAddress(bytes: sourceBytes.bytes),
      let destination = IPAddress(bytes: destinationBytes.bytes),
      let sourcePort: UInt16 = transport[TupleAttribute.sourcePort]?.bigEndian(),
      let destinationPort: UInt16 = transport[TupleAttribute.destinationPort]?.bigEndian()
    else { return nil }
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  fileprivate static func transport(_ attribute: Attribute) -> UInt8? {
    attribute.attributes[TupleAttribute.transport]?.attributes[TupleAttribute.transportNumber]?
      .uint8
  }
}
