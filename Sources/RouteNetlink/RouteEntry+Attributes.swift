internal import Addressing
public import Netlink

extension RouteEntry {
  /// Reads a route from a reply or an event; nil if it is neither, or a multicast route.
  ///
  /// Of a route with several gateways of the same weight only what they share is read.
  public init?(_ message: Message) {
    guard
      message.header.type == RequestType.newRoute || message.header.type == RequestType.deleteRoute,
      let family = message.fixed(at: 0).flatMap(IPFamily.init(number:)),
      let length: UInt8 = message.fixed(at: 1), let table: UInt8 = message.fixed(at: 4),
      let origin: UInt8 = message.fixed(at: 5), let scope: UInt8 = message.fixed(at: 6),
      let type: UInt8 = message.fixed(at: 7), let flags: UInt32 = message.fixed(at: 8),
      let prefix = Prefix(Int(length), family)
    else { return nil }
    self.init(to: Subnet(containing: IPAddress(bits: 0, family: family), prefix: prefix))
    self.table = RouteTable(rawValue: UInt32(table))
    self.origin = RouteOrigin(rawValue: origin)
    self.scope = RouteScope(rawValue: scope)
    self.type = RouteType(rawValue: type)
    isOnLink = flags & RouteAttribute.onLink != 0
    isCached = flags & RouteAttribute.cached != 0
    for attribute in message.attributes(after: RouteHeader.byteCount) {
      read(attribute)
    }
  }

  private mutating func read(_ attribute: Attribute) {
    let family = destination.family
    switch attribute.type {
    case RouteAttribute.destination:
      if let first = attribute.address(family) {
        destination = Subnet(containing: first, prefix: destination.prefix)
      }
    case RouteAttribute.gateway: gateway = attribute.address(family)
    case RouteAttribute.gatewayOfOtherFamily:
      gateway = IPAddress(bytes: attribute.bytes.dropFirst(2))
    case RouteAttribute.link: linkIndex = attribute.uint32
    case RouteAttribute.source: source = attribute.address(family)
    case RouteAttribute.priority: priority = attribute.uint32
    case RouteAttribute.table:
      table = attribute.uint32.map(RouteTable.init(rawValue:)) ?? table
    case RouteAttribute.metrics:
      mtu = attribute.attributes[RouteAttribute.metricMTU]?.uint32
      segmentSize = attribute.attributes[RouteAttribute.metricSegment]?.uint32
    default: break
    }
  }

  /// Writes the route with all that it says.
  func write(to writer: inout AttributeWriter) {
    RouteHeader(
      family: destination.family.number, prefixLength: UInt8(destination.prefix.length),
      table: table, origin: origin, scope: scope, type: type,
      flags: isOnLink ? RouteAttribute.onLink : 0
    ).write(to: &writer)
    if !destination.isEverything {
      writer.bytes(RouteAttribute.destination, destination.first.bytes)
    }
    if let gateway { write(gateway, to: &writer) }
    if let linkIndex { writer.uint32(RouteAttribute.link, linkIndex) }
    if let source { writer.bytes(RouteAttribute.source, source.bytes) }
    if let priority { writer.uint32(RouteAttribute.priority, priority) }
    if table.rawValue > 255 { writer.uint32(RouteAttribute.table, table.rawValue) }
    if mtu != nil || segmentSize != nil {
      writer.nest(RouteAttribute.metrics) { metrics in
        if let mtu { metrics.uint32(RouteAttribute.metricMTU, mtu) }
        if let segmentSize { metrics.uint32(RouteAttribute.metricSegment, segmentSize) }
      }
    }
  }

  private func write(_ gateway: IPAddress, to writer: inout AttributeWriter) {
    if gateway.family == destination.family {
      writer.bytes(RouteAttribute.gateway, gateway.bytes)
    } else {
      let family = [gateway.family.number, 0]
      writer.bytes(RouteAttribute.gatewayOfOtherFamily, family + gateway.bytes)
    }
  }
}

/// The fixed part of every message about a route; rules have the same.
///
/// Kernel name: `struct rtmsg`, `struct fib_rule_hdr`.
struct RouteHeader {
  static let byteCount = 12
  static let flagsOffset = 8

  var family: UInt8 = FamilyNumber.any
  var prefixLength: UInt8 = 0
  var originLength: UInt8 = 0
  /// A number above 255 goes into an attribute, and the field says "not here".
  var table: RouteTable = RouteTable(rawValue: 0)
  var origin: RouteOrigin = .any
  var scope: RouteScope = .universe
  var type = RouteType(rawValue: 0)
  var flags: UInt32 = 0

  func write(to writer: inout AttributeWriter) {
    writer.fixed(family)
    writer.fixed(prefixLength)
    writer.fixed(originLength)
    writer.fixed(UInt8(0))
    writer.fixed(UInt8(exactly: table.rawValue) ?? 0)
    writer.fixed(origin.rawValue)
    writer.fixed(scope.rawValue)
    writer.fixed(type.rawValue)
    writer.fixed(flags)
  }
}
