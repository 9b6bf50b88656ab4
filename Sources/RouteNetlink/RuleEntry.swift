public import Addressing
public import Netlink

/// Which table a packet's route is looked up in.
///
/// Kernel name: `struct fib_rule_hdr` and `FRA_…`.
public struct RuleEntry: Hashable, Sendable {
  /// Which packets: IPv4 or IPv6.
  public var family: IPFamily
  /// Rules are asked from the lowest number up; the kernel chooses if nil.
  public var priority: UInt32?
  /// Where the packet comes from.
  public var source: Subnet?
  /// Where the packet goes.
  public var destination: Subnet?
  /// The link the packet came in by.
  public var input: String?
  /// The link a socket of this host is bound to.
  public var output: String?
  /// The packet's mark.
  public var mark: UInt32?
  /// The table to look in.
  public var table: RouteTable
  /// Who made it; nobody has said if `any`. `FRA_PROTOCOL`
  public var origin: RouteOrigin = .any

  /// Describes a rule that fits every packet of a family; what it asks for is set after.
  public init(_ family: IPFamily, priority: UInt32? = nil, table: RouteTable) {
    self.family = family
    self.priority = priority
    self.table = table
  }
}

extension RuleEntry {
  /// Reads a rule from a reply; nil if it is none, or does something else than look in a table.
  public init?(_ message: Message) {
    guard message.header.type == RequestType.newRule,
      let family = message.fixed(at: 0).flatMap(IPFamily.init(number:)),
      let destinationLength: UInt8 = message.fixed(at: 1),
      let sourceLength: UInt8 = message.fixed(at: 2), let table: UInt8 = message.fixed(at: 4),
      message.fixed(at: 7) == RuleAction.lookUp
    else { return nil }
    self.init(family, table: RouteTable(rawValue: UInt32(table)))
    for attribute in message.attributes(after: RouteHeader.byteCount) {
      switch attribute.type {
      case RuleAttribute.priority: priority = attribute.uint32
      case RuleAttribute.source: source = attribute.subnet(family, Int(sourceLength))
      case RuleAttribute.destination:
        destination = attribute.subnet(family, Int(destinationLength))
      case RuleAttribute.input: input = attribute.text
      case RuleAttribute.output: output = attribute.text
      case RuleAttribute.mark: mark = attribute.uint32
      case RuleAttribute.maker: origin = attribute.uint8.map(RouteOrigin.init(rawValue:)) ?? .any
      case RuleAttribute.table:
        self.table = attribute.uint32.map(RouteTable.init(rawValue:)) ?? self.table
      default: break
      }
    }
  }

  /// Writes the rule with all that it says.
  func write(to writer: inout AttributeWriter) {
    RouteHeader(
      family: family.number, prefixLength: UInt8(destination?.prefix.length ?? 0),
      originLength: UInt8(source?.prefix.length ?? 0), table: table,
      type: RouteType(rawValue: RuleAction.lookUp)
    ).write(to: &writer)
    if let priority { writer.uint32(RuleAttribute.priority, priority) }
    if let source { writer.bytes(RuleAttribute.source, source.first.bytes) }
    if let destination { writer.bytes(RuleAttribute.destination, destination.first.bytes) }
    if let input { writer.text(RuleAttribute.input, input) }
    if let output { writer.text(RuleAttribute.output, output) }
    if let mark { writer.uint32(RuleAttribute.mark, mark) }
    writer.uint32(RuleAttribute.table, table.rawValue)
    if origin != .any { writer.uint8(RuleAttribute.maker, origin.rawValue) }
  }
}

extension Attribute {
  fileprivate func subnet(_ family: IPFamily, _ length: Int) -> Subnet? {
    guard let first = address(family), let prefix = Prefix(length, family) else { return nil }
    return Subnet(containing: first, prefix: prefix)
  }
}
