internal import Addressing
internal import Nftables

/// Bytes of which some may be unknown.
typealias PartlyKnown = [UInt8?]

extension Packet {
  /// The bytes of a header from an offset on; what is not said of the packet, such as its length, is
  /// unknown.
  func bytes(of header: Expression.Header, offset: Int, length: Int) -> PartlyKnown {
    let all =
      switch header {
      case .link: linkHeader
      case .network: family == .v4 ? networkHeaderV4 : networkHeaderV6
      case .transport: transport == .tcp ? tcpHeader : portHeader
      }
    return (offset..<max(offset, offset + length)).map { all.indices.contains($0) ? all[$0] : nil }
  }

  /// IEEE 802.3.
  private var linkHeader: PartlyKnown {
    (hardwareDestination?.bytes ?? .unknown(6)) + (hardwareSource?.bytes ?? .unknown(6))
      + frameProtocol
  }

  /// What Ethernet calls the protocol.
  var frameProtocol: [UInt8] { family == .v4 ? [0x08, 0x00] : [0x86, 0xdd] }

  /// RFC 791.
  private var networkHeaderV4: PartlyKnown {
    [0x45, 0] + .unknown(7) + [transport.rawValue] + .unknown(2) + source.bytes
      + destination.bytes
  }

  /// RFC 8200.
  private var networkHeaderV6: PartlyKnown {
    [0x60] + .unknown(5) + [transport.rawValue, nil] + source.bytes + destination.bytes
  }

  /// RFC 9293; the packet asks for a connection.
  private var tcpHeader: PartlyKnown {
    portHeader + .unknown(4) + [0, 0, 0, 0, nil, Packet.synchronize] + .unknown(4) + [0, 0]
  }

  private var portHeader: PartlyKnown {
    (sourcePort?.networkBytes ?? .unknown(2)) + destinationPort.networkBytes
  }

  /// The flags of a TCP packet that asks for a connection: `SYN`.
  static let synchronize: UInt8 = 0x02
}

extension PartlyKnown {
  static func unknown(_ count: Int) -> PartlyKnown { PartlyKnown(repeating: nil, count: count) }

  /// All bytes, if all are known.
  var known: [UInt8]? {
    var bytes: [UInt8] = []
    for byte in self {
      guard let byte else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// Whether these are the bytes; nil if it depends on what is unknown.
  func equals(_ bytes: some Sequence<UInt8>) -> Bool? {
    var isSure = true
    for (own, other) in zip(self, bytes) {
      guard let own else {
        isSure = false
        continue
      }
      if own != other { return false }
    }
    return isSure ? true : nil
  }
}

extension FixedWidthInteger {
  /// The bytes in the order of the network.
  var networkBytes: [UInt8] {
    (0..<Self.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }

  /// The bytes in the order of the host, as registers hold its numbers.
  var hostBytes: [UInt8] {
    let bytes = networkBytes
    return 1.littleEndian == 1 ? bytes.reversed() : bytes
  }

  /// The number whose bytes these are in the order of the host.
  init(hostBytes bytes: some Collection<UInt8>) {
    let ordered = 1.littleEndian == 1 ? Array(bytes.reversed()) : Array(bytes)
    self = ordered.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }

  /// The number whose bytes these are in the order of the network.
  init(networkBytes bytes: some Collection<UInt8>) {
    self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
  }
}

/// The places that a rule works with, in bytes.
struct RegisterFile {
  private var bytes = PartlyKnown(repeating: nil, count: 64)

  func load(_ register: Register, count: Int) -> PartlyKnown {
    let start = register.index * 4
    return (start..<start + max(0, count)).map { bytes.indices.contains($0) ? bytes[$0] : nil }
  }

  /// Stores bytes; the rest of the last register becomes zero.
  mutating func store(_ value: PartlyKnown, _ register: Register) {
    let start = register.index * 4
    let padding = PartlyKnown(repeating: 0, count: (4 - value.count % 4) % 4)
    for (offset, byte) in (value + padding).enumerated() where start + offset < bytes.count {
      bytes[start + offset] = byte
    }
  }
}
