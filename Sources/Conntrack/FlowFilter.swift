public import Addressing
internal import Netlink

/// Which flows are meant, by the packet that began them.
public struct FlowFilter: Hashable, Sendable {
  /// IPv4 or IPv6.
  public let family: IPFamily
  /// TCP, UDP and so on, by number.
  public let transport: UInt8
  /// The port that the first packet was sent to; any if nil.
  public let destinationPort: UInt16?

  /// Describes flows.
  public init(_ family: IPFamily, transport: UInt8, toPort destinationPort: UInt16? = nil) {
    self.family = family
    self.transport = transport
    self.destinationPort = destinationPort
  }

  /// Whether a flow is meant.
  ///
  /// It is asked here too, since kernels before 5.8 list all flows.
  func matches(_ flow: Flow) -> Bool {
    flow.transport == transport && flow.original.source.family == family
      && (destinationPort == nil || destinationPort == flow.original.destinationPort)
  }

  /// Writes what the kernel is to leave out of a listing. `CTA_FILTER`
  func write(to writer: inout AttributeWriter) {
    var flags = FilterAttribute.transport
    writer.nest(FlowAttribute.original) { tuple in
      tuple.nest(TupleAttribute.transport) { part in
        part.uint8(TupleAttribute.transportNumber, transport)
        if let destinationPort {
          part.bigEndian(TupleAttribute.destinationPort, destinationPort)
          flags |= FilterAttribute.destinationPort
        }
      }
    }
    writer.nest(FlowAttribute.filter) { filter in
      filter.uint32(FilterAttribute.originalFlags, flags)
      filter.uint32(FilterAttribute.replyFlags, 0)
    }
  }
}
