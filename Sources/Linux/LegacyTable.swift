internal import CLinux
internal import Glibc

/// A table of the packet filter that was there before nf_tables, as the kernel keeps it.
///
/// Read without the program `iptables`, and so without the lock that all its runs wait for.
public enum LegacyTable {
  /// The bytes of all chains and rules of a table.
  ///
  /// Names of chains stand in it as text. A table that does not exist is made by asking for it, so
  /// ask first whether it does: `/proc/net/ip_tables_names`.
  ///
  /// Kernel name: `IPT_SO_GET_INFO`, `IPT_SO_GET_ENTRIES`.
  ///
  /// - Parameters:
  ///   - name: the table's name, at most 31 bytes.
  ///   - isIPv6: whose packets it is for.
  /// - Returns: the bytes, in the kernel's own order.
  /// - Throws: ``SystemError``; `EPERM` without CAP_NET_ADMIN.
  public static func contents(of name: String, isIPv6: Bool) throws(SystemError) -> [UInt8] {
    try read(name, isIPv6: isIPv6).entries
  }

  /// Whether the chain FORWARD of a table drops what reaches its end.
  ///
  /// - Parameters:
  ///   - name: the table's name, which must exist.
  ///   - isIPv6: whose packets it is for.
  /// - Returns: false too for a table without such a chain.
  /// - Throws: ``SystemError``; `EPERM` without CAP_NET_ADMIN.
  public static func dropsForwarded(_ name: String, isIPv6: Bool) throws(SystemError) -> Bool {
    let (information, entries) = try read(name, isIPv6: isIPv6)
    let forward = 2
    guard information.number(at: Information.hooksOffset) & 1 << forward != 0 else { return false }
    // The policy is an entry of its own, behind the chain's rules; its target is a verdict.
    let policy = information.number(at: Information.policyOffset + 4 * forward)
    let targetOffset = policy + (isIPv6 ? 140 : 88)
    guard targetOffset + 2 <= entries.count else { return false }
    let target = policy + Int(entries[targetOffset]) + Int(entries[targetOffset + 1]) << 8
    guard target + 36 <= entries.count else { return false }
    return Int32(truncatingIfNeeded: entries.number(at: target + 32)) == Self.drop
  }

  /// The verdict of a policy that drops: `-NF_DROP - 1`.
  private static let drop: Int32 = -1

  private static func read(
    _ name: String, isIPv6: Bool
  ) throws(SystemError) -> (information: [UInt8], entries: [UInt8]) {
    let number = try Syscall.check("socket", name) {
      socket(
        isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue),
        Int32(IPPROTO_RAW))
    }
    let door = OwnedDescriptor(adopting: number)
    let level = Int32(isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP)
    for _ in 0..<attempts {
      var information = text(name, in: Information.byteCount)
      try ask(door, level, Information.option, &information, name)
      let size = information[Information.sizeOffset..<Information.sizeOffset + 4]
      let count = information.number(at: Information.sizeOffset)
      var entries = text(name, in: Entries.headerByteCount + count)
      entries.replaceSubrange(Entries.sizeOffset..<Entries.sizeOffset + 4, with: size)
      do {
        try ask(door, level, Entries.option, &entries, name)
      } catch  where error.errno == .tryAgain {
        // It has grown or shrunk since its size was told.
        continue
      }
      return (information, Array(entries.dropFirst(Entries.headerByteCount)))
    }
    throw SystemError(operation: "getsockopt", subject: name, errno: .tryAgain)
  }

  private static var attempts: Int { 16 }

  /// `struct ipt_getinfo`: 32 bytes of name, thirteen numbers, of which the first is a bit for each
  /// hook that there is a chain for, the last the size.
  private enum Information {
    static let option: Int32 = 64
    static let hooksOffset = 32
    /// Where the chains' policies stand, five numbers.
    static let policyOffset = 56
    static let sizeOffset = 80
    static let byteCount = 84
  }

  /// `struct ipt_get_entries`: 32 bytes of name, the size, and the entries, which lie on eight bytes.
  private enum Entries {
    static let option: Int32 = 65
    static let sizeOffset = 32
    static let headerByteCount = 40
  }

  private static func text(_ name: String, in byteCount: Int) -> [UInt8] {
    let bytes = Array(name.utf8.prefix(31))
    return bytes + [UInt8](repeating: 0, count: byteCount - bytes.count)
  }

  private static func ask(
    _ door: borrowing OwnedDescriptor, _ level: Int32, _ option: Int32, _ buffer: inout [UInt8],
    _ name: String
  ) throws(SystemError) {
    let number = door.rawValue
    var length = socklen_t(buffer.count)
    try Syscall.check("getsockopt", name) {
      unsafe getsockopt(number, level, option, &buffer, &length)
    }
  }
}

extension [UInt8] {
  /// A number of 32 bits as these machines keep it, the lowest byte first.
  fileprivate func number(at offset: Int) -> Int {
    self[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
