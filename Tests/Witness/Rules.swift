import CLinux
import Glibc

/// A rule that chooses a routing table.
public struct SeenRule: Hashable, Sendable {
  /// 4 or 6.
  public let family: Int
  /// Its place in the order.
  public let priority: UInt32
  /// Which sources it is for; nil for all.
  public let source: String?
  /// Which destinations it is for; nil for all.
  public let destination: String?
  /// The link that packets came in by.
  public let inputLink: String?
  /// The link that packets leave by.
  public let outputLink: String?
  /// The packet mark.
  public let mark: UInt32?
  /// The table to look in.
  public let table: UInt32
  /// RTPROT_: who made it; 2 kernel, 3 boot, 0 nobody has said.
  public let origin: UInt8
  /// FR_ACT_: 1 look up the table.
  public let action: UInt8
}

/// Every routing rule of both families in the calling thread's network namespace.
public func rules() throws(WitnessError) -> [SeenRule] {
  let question = "list routing rules"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  var found: [SeenRule] = []
  for family in [AF_INET, AF_INET6] {
    var header = [UInt8](repeating: 0, count: MemoryLayout<rtmsg>.size)
    header[0] = UInt8(family)
    found += try kernel.list(RTM_GETRULE, header: header, for: question).map(SeenRule.init)
  }
  return found
}

extension SeenRule {
  init(_ message: [UInt8]) {
    let header = message.prefix(MemoryLayout<rtmsg>.size)
    let attributes = Attributes(message, from: header.count)
    family = Int32(header[0]) == AF_INET6 ? 6 : 4
    destination = attributes[FRA_DST].map {
      AddressText.ofNetwork($0, length: header[1], family: header[0])
    }
    source = attributes[FRA_SRC].map {
      AddressText.ofNetwork($0, length: header[2], family: header[0])
    }
    table = attributes.number(FRA_TABLE) ?? UInt32(header[4])
    action = header[7]
    priority = attributes.number(FRA_PRIORITY) ?? 0
    inputLink = attributes.text(FRA_IIFNAME)
    outputLink = attributes.text(FRA_OIFNAME)
    mark = attributes.number(FRA_FWMARK)
    origin = attributes[FRA_PROTOCOL]?.first ?? 0
  }
}
