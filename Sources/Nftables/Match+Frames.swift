public import Addressing

extension Match {
  /// What a frame may carry. `ETH_P_…`
  public enum FrameProtocol: UInt16, Sendable {
    case ipv4 = 0x0800
    case arp = 0x0806
    case ipv6 = 0x86dd

    /// The protocol of a family's packets.
    public init(_ family: IPFamily) { self = family == .v4 ? .ipv4 : .ipv6 }
  }

  /// The frame carries this, in whatever VLAN.
  ///
  /// nft: `meta protocol arp`
  public static func frame(carries content: FrameProtocol) -> Match {
    Match(expressions: [
      .meta(.frameProtocol, into: Register(0)),
      .compare(Register(0), .equal, content.rawValue.bigEndianBytes),
    ])
  }

  /// The sender of an ARP packet says that it has no address yet. RFC 5227, section 2.1.1
  ///
  /// nft: `arp saddr ip 0.0.0.0`
  public static let arpSourceIsNone = Match(
    expressions: Field.arpSource.load(into: Register(0)) + [
      .compare(Register(0), .equal, [0, 0, 0, 0])
    ])

  /// Messages of ICMPv6 about neighbours and routers. RFC 4861, RFC 3810
  public enum NeighbourMessage: UInt8, Sendable {
    case routerAdvertisement = 134
    case solicitation = 135
    case advertisement = 136
    case redirect = 137
    /// Which groups a host listens to.
    case groupReport = 143
  }

  /// The packet is a message of this kind, behind whatever extension headers.
  ///
  /// nft: `icmpv6 type nd-router-advert`
  public static func neighbour(_ message: NeighbourMessage) -> Match {
    Match(expressions: [
      .meta(.transportProtocol, into: Register(0)),
      .compare(Register(0), .equal, [58]),
      .payload(.transport, offset: 0, length: 1, into: Register(0)),
      .compare(Register(0), .equal, [message.rawValue]),
    ])
  }

  /// The packet is sent to this port.
  ///
  /// nft: `udp dport 68`
  public static func destinationPort(_ port: UInt16, of transport: Transport) -> Match {
    Match(
      expressions: Match.transport(transport).expressions
        + Field.destinationPort.load(into: Register(0)) + [
          .compare(Register(0), .equal, port.bigEndianBytes)
        ])
  }
}
