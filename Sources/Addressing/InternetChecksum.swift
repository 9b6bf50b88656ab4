/// The checksum of the Internet's protocols.
public enum InternetChecksum {
  /// The ones' complement of the ones' complement sum of all pairs of bytes; 0 for bytes that hold
  /// their own checksum and are sound.
  ///
  /// RFC 1071
  public static func of(_ bytes: some Collection<UInt8>) -> UInt16 {
    var sum: UInt32 = 0
    for (place, byte) in bytes.enumerated() {
      sum &+= place % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte)
    }
    while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
    return ~UInt16(sum)
  }
}
