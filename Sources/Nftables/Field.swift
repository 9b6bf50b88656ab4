public import Addressing

/// Something that a packet has, and that can be compared or looked up.
public enum Field: Hashable, Sendable {
  /// The source address.
  case source(IPFamily)
  /// The destination address.
  case destination(IPFamily)
  /// The network of the source, if all networks were as long as this prefix.
  case sourceNetwork(Prefix)
  /// The network of the destination, if all networks were as long as this prefix.
  case destinationNetwork(Prefix)
  /// The network of the source of the IP packet inside a VXLAN packet, if all networks were as long
  /// as this prefix. RFC 7348
  case tunnelledSourceNetwork(Prefix)
  /// TCP, UDP and so on.
  case transportProtocol
  /// The destination port.
  case destinationPort
  /// The name of the link it came in by.
  case inputName
  /// The name of the link it leaves by.
  case outputName
  /// The name of the bridge whose port it came in by; in tables for bridges alone.
  case inputBridgeName
  /// The hardware address of its sender.
  case hardwareSource
  /// The hardware address that an ARP packet says its sender has.
  case arpHardwareSource
  /// The IPv4 address that an ARP packet says its sender has.
  case arpSource
  /// The IPv6 address that a neighbour solicitation or advertisement is about.
  ///
  /// nft 1.0.6 has no word for it, and cannot load its own listing of a set with it.
  case neighbourTarget
  /// Where the first packet of its connection was sent to.
  case originalDestination(IPFamily)
  /// The port that the first packet of its connection was sent to.
  case originalDestinationPort
  /// A number drawn for it.
  case random(Expression.NumberRange)
  /// A number that is always the same for the same source address.
  ///
  /// Whatever comes behind it is loaded later, so the registers behind it are free for its work.
  case sourceHash(IPFamily, Expression.NumberRange)
}

extension Field {
  /// The bytes it takes in registers.
  var byteCount: Int {
    switch self {
    case .source(let family), .destination(let family), .originalDestination(let family):
      family.byteCount
    case .sourceNetwork(let prefix), .destinationNetwork(let prefix),
      .tunnelledSourceNetwork(let prefix):
      prefix.family.byteCount
    case .transportProtocol: 1
    case .destinationPort, .originalDestinationPort: 2
    case .random, .sourceHash: 4
    case .inputName, .outputName, .inputBridgeName: 16
    case .hardwareSource, .arpHardwareSource: 6
    case .arpSource: 4
    case .neighbourTarget: 16
    }
  }

  /// Loads it into registers from the given one on.
  func load(into register: Register) -> [Expression] {
    switch self {
    case .source(let family):
      [.payload(.network, offset: family.sourceOffset, length: family.byteCount, into: register)]
    case .destination(let family):
      [
        .payload(
          .network, offset: family.destinationOffset, length: family.byteCount, into: register)
      ]
    case .sourceNetwork(let prefix):
      Field.source(prefix.family).load(into: register)
        + [.masked(register, by: prefix.maskBytes)]
    case .destinationNetwork(let prefix):
      Field.destination(prefix.family).load(into: register)
        + [.masked(register, by: prefix.maskBytes)]
    case .tunnelledSourceNetwork(let prefix):
      [
        .payload(
          .transport, offset: VXLANPacket.innerPacket + prefix.family.sourceOffset,
          length: prefix.family.byteCount, into: register),
        .masked(register, by: prefix.maskBytes),
      ]
    case .transportProtocol:
      [.meta(.transportProtocol, into: register)]
    case .destinationPort:
      [.payload(.transport, offset: 2, length: 2, into: register)]
    case .inputName:
      [.meta(.inputName, into: register)]
    case .outputName:
      [.meta(.outputName, into: register)]
    case .inputBridgeName:
      [.meta(.inputBridgeName, into: register)]
    case .hardwareSource:
      [.payload(.link, offset: 6, length: 6, into: register)]
    case .arpHardwareSource:
      [.payload(.network, offset: 8, length: 6, into: register)]
    case .arpSource:
      [.payload(.network, offset: 14, length: 4, into: register)]
    case .neighbourTarget:
      [.payload(.transport, offset: 8, length: 16, into: register)]
    case .originalDestination(let family):
      [.connection(.originalDestination(family), into: register)]
    case .originalDestinationPort:
      [.connection(.originalDestinationPort, into: register)]
    case .random(let range):
      [.random(range, into: register)]
    case .sourceHash(let family, let range):
      Field.source(family).load(into: Register(register.index + 1)) + [
        .hash(
          of: Register(register.index + 1), length: family.byteCount, range, into: register)
      ]
    }
  }
}

extension [Field] {
  /// Loads all of them into registers from the first one on, each into whole ones.
  var loadSideBySide: [Expression] {
    var steps: [Expression] = []
    var index = 0
    for field in self {
      steps += field.load(into: Register(index))
      index += field.byteCount.roundedUpToRegister / 4
    }
    return steps
  }
}

extension IPFamily {
  /// Where the source stands in the network header.
  var sourceOffset: Int { self == .v4 ? 12 : 8 }
  /// Where the destination stands in the network header.
  var destinationOffset: Int { self == .v4 ? 16 : 24 }
}

extension Prefix {
  /// The mask in network order.
  var maskBytes: [UInt8] { IPAddress(bits: mask, family: family).bytes }
}
