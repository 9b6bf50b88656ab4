public import Addressing

/// Frames that a container makes up by itself, byte for byte, whatever is true of them.
///
///     let lie = try ForgedFrame.arp(says: "10.1.2.1", is: own, from: own, to: victim)
///     try pod.run { try FrameSocket.send(lie.bytes, by: "eth0") }
///
/// RFC 826, RFC 791, RFC 768, RFC 8200, RFC 4861.
public struct ForgedFrame: Hashable, Sendable {
  /// The whole frame, from the destination's hardware address on.
  public var bytes: [UInt8]

  /// A frame of any kind.
  public init(
    to target: HardwareAddress, from source: HardwareAddress, kind: UInt16, _ payload: [UInt8]
  ) {
    bytes = target.bytes + source.bytes + [UInt8(kind >> 8), UInt8(truncatingIfNeeded: kind)]
    bytes += payload
  }

  /// An ARP reply that says who has an address.
  public static func arp(
    says address: String, is owner: HardwareAddress, from source: HardwareAddress,
    to target: HardwareAddress
  ) throws(AddressParseError) -> ForgedFrame {
    let claimed = try IPAddress(address).bytes
    return ForgedFrame(
      to: target, from: source, kind: 0x0806,
      [0, 1, 8, 0, 6, 4, 0, 2] + owner.bytes + claimed + target.bytes + claimed)
  }

  /// An IPv4 or IPv6 datagram of UDP.
  public static func datagram(
    from source: (hardware: HardwareAddress, address: String, port: UInt16),
    to target: (hardware: HardwareAddress, address: String, port: UInt16)
  ) throws(AddressParseError) -> ForgedFrame {
    let ports = [source.port, target.port].flatMap {
      [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)]
    }
    return try packet(
      17, ports + [0, 16, 0, 0] + Array("FORGERY!".utf8), checksumAt: 6,
      (source.hardware, source.address), (target.hardware, target.address))
  }

  /// The first packet of SCTP, by which somebody asks for an association, or the answer to it.
  ///
  /// RFC 9260, sections 3.1, 3.3.2 and 3.3.3.
  public static func association(
    from source: (hardware: HardwareAddress, address: String, port: UInt16),
    to target: (hardware: HardwareAddress, address: String, port: UInt16), isAnswer: Bool = false
  ) throws(AddressParseError) -> ForgedFrame {
    let ports = [source.port, target.port].flatMap {
      [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)]
    }
    // INIT or INIT ACK of 20 bytes: tag, window, streams out and in, first number. An answer bears the
    // tag of the question in its header.
    let chunk: [UInt8] = [
      isAnswer ? 2 : 1, 0, 0, 20, 0, 0, 0, 7, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1,
    ]
    var segment = ports + [0, 0, 0, isAnswer ? 7 : 0, 0, 0, 0, 0] + chunk
    let sum = CRC32C.of(segment)
    for place in 0..<4 { segment[8 + place] = UInt8(truncatingIfNeeded: sum >> (8 * place)) }
    return try packet(
      132, segment, (source.hardware, source.address), (target.hardware, target.address))
  }

  /// A message of ICMPv6 of a type, of code 0, and what follows the checksum; it may be hidden behind
  /// a header that says nothing.
  public static func icmp(
    _ type: UInt8, _ body: [UInt8], from source: (hardware: HardwareAddress, address: String),
    to target: (hardware: HardwareAddress, address: String), isHidden: Bool = false
  ) throws(AddressParseError) -> ForgedFrame {
    try packet(58, [type, 0, 0, 0] + body, checksumAt: 2, source, target, isHidden: isHidden)
  }

  /// An advertisement that says who has an IPv6 address, unasked.
  public static func neighbour(
    says address: String, is owner: HardwareAddress,
    from source: (hardware: HardwareAddress, address: String),
    to target: (hardware: HardwareAddress, address: String)
  ) throws(AddressParseError) -> ForgedFrame {
    try icmp(
      136, [0x20, 0, 0, 0] + IPAddress(address).bytes + [2, 1] + owner.bytes, from: source,
      to: target)
  }

  /// A router's advertisement: a default route for half an hour, and a prefix to make addresses of.
  public static func router(
    offering prefix: String, from source: (hardware: HardwareAddress, address: String),
    to target: (hardware: HardwareAddress, address: String), isHidden: Bool = false
  ) throws(AddressParseError) -> ForgedFrame {
    let link: [UInt8] = [1, 1] + source.hardware.bytes
    let offer: [UInt8] =
      [3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 0] + (try IPAddress(prefix).bytes)
    return try icmp(
      134, [64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0] + link + offer, from: source, to: target,
      isHidden: isHidden)
  }

  /// The same frame in a VLAN. IEEE 802.1Q
  public func tagged(_ vlan: UInt16) -> ForgedFrame {
    var frame = self
    frame.bytes.insert(
      contentsOf: [0x81, 0, UInt8(vlan >> 8), UInt8(truncatingIfNeeded: vlan)], at: 12)
    return frame
  }

  private static func packet(
    _ transport: UInt8, _ segment: [UInt8], checksumAt place: Int? = nil,
    _ source: (hardware: HardwareAddress, address: String),
    _ target: (hardware: HardwareAddress, address: String), isHidden: Bool = false
  ) throws(AddressParseError) -> ForgedFrame {
    let addresses = try IPAddress(source.address).bytes + IPAddress(target.address).bytes
    var segment = segment
    let length = UInt8(segment.count)
    if let place {
      write(
        InternetChecksum.of(addresses + [0, length, 0, transport] + segment), at: place,
        of: &segment)
    }
    if addresses.count == 8 {
      var header: [UInt8] = [0x45, 0, 0, 20 + length, 0, 0, 0, 0, 64, transport, 0, 0] + addresses
      write(InternetChecksum.of(header), at: 10, of: &header)
      return ForgedFrame(
        to: target.hardware, from: source.hardware, kind: 0x0800, header + segment)
    }
    // A header of destination options with six bytes of padding.
    let hiding: [UInt8] = isHidden ? [transport, 0, 1, 4, 0, 0, 0, 0] : []
    let header: [UInt8] =
      [0x60, 0, 0, 0, 0, length + UInt8(hiding.count), isHidden ? 60 : transport, 255] + addresses
    return ForgedFrame(
      to: target.hardware, from: source.hardware, kind: 0x86dd, header + hiding + segment)
  }

  private static func write(_ sum: UInt16, at place: Int, of bytes: inout [UInt8]) {
    bytes[place] = UInt8(sum >> 8)
    bytes[place + 1] = UInt8(truncatingIfNeeded: sum)
  }
}
