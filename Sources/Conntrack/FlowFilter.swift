public import Addressing
internal import Netlink

/// Which flows are meant.
public struct FlowFilter: Hashable, Sendable {
  /// IPv4 or IPv6.
  public let family: IPFamily
  private let wish: Wish

  /// What must be true of a flow.
  private enum Wish: Hashable, Sendable {
    /// It is of this protocol, and its first packet was sent to this port, if one is said.
    case sent(transport: UInt8, toPort: UInt16?)
    /// Its first packet came from this address.
    case begun(by: IPAddress)
    /// Its answers come from this address, by this protocol if one is said.
    case answered(by: IPAddress, transport: UInt8?)
    /// One or the other.
    case ofHost(IPAddress)
  }

  /// Describes flows by the packet that began them.
  ///
  /// - Parameters:
  ///   - family: IPv4 or IPv6.
  ///   - transport: TCP, UDP and so on, by number.
  ///   - destinationPort: the port that the first packet was sent to; any if nil.
  public init(_ family: IPFamily, transport: UInt8, toPort destinationPort: UInt16? = nil) {
    self.family = family
    wish = .sent(transport: transport, toPort: destinationPort)
  }

  /// Describes flows of a protocol by who answers, whatever address they were sent to.
  ///
  /// Of IPv6 the kernel lists all of the protocol, and the others are left out here; see ``all(of:)``.
  ///
  /// - Parameters:
  ///   - address: where answers come from.
  ///   - transport: TCP, UDP and so on, by number.
  public init(answeredBy address: IPAddress, transport: UInt8) {
    family = address.family
    wish = .answered(by: address, transport: transport)
  }

  private init(_ family: IPFamily, _ wish: Wish) {
    self.family = family
    self.wish = wish
  }

  /// Describes the flows that an address has begun, and those that it answers, whatever address they
  /// were sent to.
  ///
  /// The kernel joins wishes by "and", so it takes two listings. Of IPv6 it takes one that holds all
  /// flows: there the kernel leaves out what is asked for and lists the others, since it takes a
  /// comparison's 0 for "no" (`ctnetlink_filter_match_tuple`, Linux 5.8 to 6.18).
  public static func all(of address: IPAddress) -> [FlowFilter] {
    switch address.family {
    case .v4:
      [
        FlowFilter(.v4, .begun(by: address)),
        FlowFilter(.v4, .answered(by: address, transport: nil)),
      ]
    case .v6: [FlowFilter(.v6, .ofHost(address))]
    }
  }

  /// Whether a flow is meant.
  ///
  /// It is asked here too, since kernels before 5.8 list all flows.
  func matches(_ flow: Flow) -> Bool {
    guard flow.original.source.family == family else { return false }
    return switch wish {
    case .sent(let transport, let port):
      flow.transport == transport && (port == nil || port == flow.original.destinationPort)
    case .begun(let address): flow.original.source == address
    case .answered(let address, let transport):
      flow.reply.source == address && (transport == nil || transport == flow.transport)
    case .ofHost(let address):
      flow.original.source == address || flow.reply.source == address
    }
  }

  /// Writes what the kernel is to leave out of a listing. `CTA_FILTER`
  func write(to writer: inout AttributeWriter) {
    var original: UInt32 = 0
    var reply: UInt32 = 0
    switch wish {
    case .sent(let transport, let port):
      original = FilterAttribute.transport
      writer.nest(FlowAttribute.original) { tuple in
        tuple.nest(TupleAttribute.transport) { part in
          part.uint8(TupleAttribute.transportNumber, transport)
          if let port {
            part.bigEndian(TupleAttribute.destinationPort, port)
            original |= FilterAttribute.destinationPort
          }
        }
      }
    case .begun(let address):
      original = FilterAttribute.source
      writer.nest(FlowAttribute.original) { tuple in tuple.source(address) }
    case .answered(let address, let transport):
      if family == .v4 { reply = FilterAttribute.source }
      if transport != nil { reply |= FilterAttribute.transport }
      writer.nest(FlowAttribute.reply) { tuple in
        if family == .v4 { tuple.source(address) }
        if let transport {
          tuple.nest(TupleAttribute.transport) { part in
            part.uint8(TupleAttribute.transportNumber, transport)
          }
        }
      }
    case .ofHost: return
    }
    writer.nest(FlowAttribute.filter) { filter in
      filter.uint32(FilterAttribute.originalFlags, original)
      filter.uint32(FilterAttribute.replyFlags, reply)
    }
  }
}

extension AttributeWriter {
  /// Writes, of one direction, the IPv4 address that sends its packets.
  fileprivate mutating func source(_ address: IPAddress) {
    nest(TupleAttribute.addresses) { addresses in
      addresses.bytes(TupleAttribute.sourceV4, address.bytes)
    }
  }
}
