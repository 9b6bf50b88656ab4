public import Addressing

extension Match {
  /// The packet carries a frame of this VXLAN network, and comes to this UDP port.
  ///
  /// RFC 7348; nft: `meta l4proto udp th dport 8472 @th,96,24 1`
  public static func tunnel(network identifier: UInt32, port: UInt16) -> Match {
    Match(expressions: [
      .meta(.transportProtocol, into: Register(0)),
      .compare(Register(0), .equal, [Transport.udp.rawValue]),
      .payload(.transport, offset: 2, length: 2, into: Register(0)),
      .compare(Register(0), .equal, port.bigEndianBytes),
      .payload(.transport, offset: VXLANPacket.identifier, length: 3, into: Register(0)),
      .compare(Register(0), .equal, Array(identifier.bigEndianBytes.dropFirst())),
    ])
  }

  /// The frame that the packet carries holds an IP packet of this family, without a VLAN.
  ///
  /// nft: `@th,224,16 0x0800`
  public static func tunnelled(_ family: IPFamily) -> Match {
    return Match(expressions: [
      .payload(.transport, offset: VXLANPacket.frameType, length: 2, into: Register(0)),
      .compare(Register(0), .equal, VXLANPacket.type(of: family).bigEndianBytes),
    ])
  }

  /// No answer to the packet would leave by the link it came in by.
  ///
  /// nft: `fib saddr . iif oif 0`
  public static let sourceIsElsewhere = Match(expressions: [
    .reversePathLink(into: Register(0)), .compare(Register(0), .equal, UInt32(0).hostBytes),
  ])
}

/// Where things lie in a VXLAN packet, in bytes from its UDP header.
enum VXLANPacket {
  /// The network's number, three bytes: after eight bytes of UDP and four of flags.
  static let identifier = 12
  /// The type of the frame inside: after sixteen bytes of headers and two hardware addresses.
  static let frameType = 28
  /// The packet inside the frame.
  static let innerPacket = 30

  /// What a frame calls the packet it holds. `ETH_P_IP`, `ETH_P_IPV6`
  static func type(of family: IPFamily) -> UInt16 { family == .v4 ? 0x0800 : 0x86dd }
}

extension FixedWidthInteger {
  /// The bytes in the order of the network.
  var bigEndianBytes: [UInt8] {
    (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}
