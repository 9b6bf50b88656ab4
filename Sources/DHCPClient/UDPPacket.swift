internal import Addressing

/// An IPv4 packet with a UDP datagram in it, for hosts that have no address to let the kernel write
/// one.
///
/// RFC 791, RFC 768.
enum UDPPacket {
  private static let addressLength = 20
  private static let headerLength = 28

  /// Writes a packet with its checksums.
  static func bytes(
    _ payload: [UInt8], from source: IPv4Address, port sourcePort: UInt16,
    to target: IPv4Address, port targetPort: UInt16
  ) -> [UInt8] {
    let length = UInt16(payload.count + 8)
    var datagram = sourcePort.bytes + targetPort.bytes + length.bytes + [0, 0] + payload
    let sum = InternetChecksum.of(pseudoHeader(source, target, length) + datagram)
    // Zero means that there is none.
    datagram.replaceSubrange(6..<8, with: (sum == 0 ? .max : sum).bytes)
    var header: [UInt8] = [0x45, 0x10] + (length + UInt16(addressLength)).bytes
    header += [0, 0, 0x40, 0, 64, 17, 0, 0] + source.bytes + target.bytes
    header.replaceSubrange(10..<12, with: InternetChecksum.of(header).bytes)
    return header + datagram
  }

  /// Reads what a packet holds for a port.
  ///
  /// - Parameters:
  ///   - packet: from the IP header on; what follows the packet is left out.
  ///   - port: the port it must be for.
  ///   - checksIntegrity: whether the checksum of the datagram is to be trusted.
  /// - Returns: the payload; nil for everything that is not whole and sound.
  static func payload(
    of packet: [UInt8], to port: UInt16, checksIntegrity: Bool
  ) -> [UInt8]? {
    guard packet.count >= headerLength, packet[0] >> 4 == 4 else { return nil }
    let start = Int(packet[0] & 0xf) * 4
    let end = Int(number(packet, 2))
    guard start >= addressLength, end >= start + 8, end <= packet.count, packet[9] == 17,
      number(packet, 6) & 0x3fff == 0, InternetChecksum.of(packet[..<start]) == 0
    else { return nil }
    let length = Int(number(packet, start + 4))
    guard length >= 8, start + length <= end, number(packet, start + 2) == port else { return nil }
    let datagram = packet[start..<start + length]
    if checksIntegrity, number(packet, start + 6) != 0 {
      let source = IPv4Address(packet[12..<16])
      let target = IPv4Address(packet[16..<20])
      guard InternetChecksum.of(pseudoHeader(source, target, UInt16(length)) + datagram) == 0 else {
        return nil
      }
    }
    return Array(datagram.dropFirst(8))
  }

  private static func pseudoHeader(
    _ source: IPv4Address, _ target: IPv4Address, _ length: UInt16
  ) -> [UInt8] {
    source.bytes + target.bytes + [0, 17] + length.bytes
  }

  private static func number(_ bytes: [UInt8], _ place: Int) -> UInt16 {
    UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
  }
}

extension UInt16 {
  /// Both bytes in network order.
  var bytes: [UInt8] { [UInt8(self >> 8), UInt8(truncatingIfNeeded: self)] }
}
