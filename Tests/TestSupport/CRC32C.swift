/// The checksum of SCTP.
///
/// RFC 9260, appendix A.
public enum CRC32C {
  /// The sum of some bytes; of a whole packet, in which its own four bytes are 0.
  public static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var sum: UInt32 = ~0
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
    }
    return ~sum
  }
}
