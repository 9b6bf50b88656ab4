internal import Addressing
public import Linux

/// What survives a restart of the daemon: who was promised what, until when.
///
/// Lines of text: what it is, the boot, the namespace, the order in the words of whoever keeps the
/// leases, and the servers' own messages. It lies in a directory that only root can read, and is
/// replaced as a whole.
public struct DHCPLeaseFile: Hashable, Sendable {
  /// The boot in which its times count.
  public var boot: String
  /// The container's namespace, which a path alone does not tell: paths are used again.
  public var namespace: FileIdentity
  /// What was asked for, on one line; whoever keeps the leases knows its form.
  public var order: String
  /// What the container was told of IPv6, on one line; empty for nothing.
  public var told = ""
  /// The IPv4 lease.
  public var lease: DHCPLease?
  /// The IPv6 lease.
  public var ipv6Lease: DHCPv6Lease?

  /// What is to be written.
  public init(boot: String, namespace: FileIdentity, order: String, lease: DHCPLease? = nil) {
    self.boot = boot
    self.namespace = namespace
    self.order = order
    self.lease = lease
  }

  /// The longest file that is read, in bytes.
  private static var limit: Int { 1 << 20 }

  private static var heading: String { "swift-cni dhcp lease 1" }

  /// Reads a file; nil for one that is torn, damaged, or not of this kind.
  ///
  /// - Throws: `SystemError` when it cannot be read at all.
  public init?(path: String) throws(SystemError) {
    let bytes = try File.read(path, limit: Self.limit)
    self.init(String(decoding: bytes, as: UTF8.self))
  }

  /// Puts the file in place, complete or not at all.
  ///
  /// - Throws: `SystemError`; the old file is untouched then.
  public func write(to path: String) throws(SystemError) {
    // Not flushed: no lease outlives the boot.
    try File.replace(path, with: Array(text.utf8), mode: 0o600, flushed: false)
  }

  // MARK: - The text

  var text: String {
    var lines = [
      Self.heading, "boot \(boot)", "namespace \(namespace.device) \(namespace.inode)",
      "order \(order)",
    ]
    if let lease {
      lines.append("v4 \(lease.start.nanoseconds) \(lease.message.bytes.hexadecimalText())")
    }
    if let lease = ipv6Lease {
      lines.append("v6 \(lease.start.nanoseconds) \(lease.message.bytes.hexadecimalText())")
    }
    if !told.isEmpty { lines.append("told \(told)") }
    // Without its end a file is torn.
    return (lines + ["end", ""]).joined(separator: "\n")
  }

  init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 6, lines.first == Self.heading[...], lines.suffix(2) == ["end", ""],
      let boot = lines[1].after("boot "), let place = lines[2].after("namespace "),
      let order = lines[3].after("order ")
    else { return nil }
    let numbers = place.split(separator: " ").map { UInt64($0) }
    guard numbers.count == 2, let device = numbers[0], let inode = numbers[1] else { return nil }
    self.init(
      boot: String(boot), namespace: FileIdentity(device: device, inode: inode),
      order: String(order))
    for line in lines[4..<lines.count - 2] {
      if let told = line.after("told ") {
        self.told = String(told)
        continue
      }
      let words = line.split(separator: " ")
      guard words.count == 3, let start = Int64(words[1]),
        let bytes = [UInt8](hexadecimal: words[2]),
        take(words[0], bytes, BootTime(sinceBoot: .nanoseconds(start)))
      else { return nil }
    }
  }

  /// Reads the lease of a line; false for one that cannot be.
  private mutating func take(_ family: Substring, _ bytes: [UInt8], _ start: BootTime) -> Bool {
    switch family {
    case "v4":
      do throws(DHCPMessageError) {
        lease = try DHCPLease(try DHCPMessage(bytes), askedAt: start)
        return true
      } catch {
        return false
      }
    case "v6":
      ipv6Lease = DHCPv6Message(bytes).flatMap { DHCPv6Lease($0, askedAt: start) }
      return ipv6Lease != nil
    default: return false
    }
  }
}

extension Substring {
  /// What follows a beginning; nil when it begins otherwise.
  fileprivate func after(_ beginning: String) -> Substring? {
    hasPrefix(beginning) ? dropFirst(beginning.count) : nil
  }
}

extension BootTime {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = sinceBoot.components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}

extension [UInt8] {
  fileprivate init?(hexadecimal text: Substring) {
    let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
    self = stride(from: 0, to: digits.count, by: 2).map {
      UInt8((digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0))
    }
  }
}
