import CLinux
import Glibc

/// A route of any table.
public struct SeenRoute: Hashable, Sendable {
  /// 4 or 6.
  public let family: Int
  /// Where to, as `10.1.0.0/16`; `0.0.0.0/0` and `::/0` are the default.
  public let destination: String
  /// The next hop.
  public let gateway: String?
  /// The link it leaves by.
  public let linkIndex: UInt32?
  /// The source address that packets get.
  public let preferredSource: String?
  /// Its priority; the kernel calls 0 what has none.
  public let priority: UInt32
  /// The table: 254 main, 255 local.
  public let table: UInt32
  /// RT_SCOPE_: 0 universe, 253 link, 254 host.
  public let scope: UInt8
  /// RTN_: 1 unicast, 2 local, 3 broadcast and so on.
  public let type: UInt8
  /// RTPROT_: who made it; 2 kernel, 3 boot, 4 static.
  public let origin: UInt8
  /// The RTNH_F_ and RTM_F_ bits.
  public let flags: UInt32
  /// Every metric by its RTAX_ number, such as 2 for the MTU and 8 for the advertised MSS.
  public let metrics: [UInt16: UInt32]
  /// The next hops of a route that has several: gateway (or empty) and link.
  public let nextHops: [SeenNextHop]

  /// The MTU of the route.
  public var mtu: UInt32? { metrics[UInt16(RTAX_MTU)] }
  /// The MSS that the route advertises.
  public var advertisedMSS: UInt32? { metrics[UInt16(RTAX_ADVMSS)] }
}

/// One of several next hops.
public struct SeenNextHop: Hashable, Sendable {
  /// The address it goes to.
  public let gateway: String?
  /// The link it leaves by.
  public let linkIndex: UInt32
}

/// Every route of every table in the calling thread's network namespace.
public func routes() throws(WitnessError) -> [SeenRoute] {
  let question = "list routes"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  let header = [UInt8](repeating: 0, count: MemoryLayout<rtmsg>.size)
  return try kernel.list(RTM_GETROUTE, header: header, for: question).compactMap(SeenRoute.init)
}

extension SeenRoute {
  /// The route of one message; nil for families other than IP, such as multicast routing.
  init?(_ message: [UInt8]) {
    let header = message.prefix(MemoryLayout<rtmsg>.size)
    let attributes = Attributes(message, from: header.count)
    guard [AF_INET, AF_INET6].contains(Int32(header[0])) else { return nil }
    family = Int32(header[0]) == AF_INET6 ? 6 : 4
    destination = AddressText.ofNetwork(
      attributes[RTA_DST], length: header[1], family: header[0])
    // RTA_VIA, two bytes of family and then the address, names a gateway of the other family.
    gateway = (attributes[RTA_GATEWAY] ?? attributes[RTA_VIA].map { Array($0.dropFirst(2)) })
      .map(AddressText.of)
    linkIndex = attributes.number(RTA_OIF)
    preferredSource = attributes[RTA_PREFSRC].map(AddressText.of)
    priority = attributes.number(RTA_PRIORITY) ?? 0
    table = attributes.number(RTA_TABLE) ?? UInt32(header[4])
    origin = header[5]
    scope = header[6]
    type = header[7]
    flags = header.number(at: 8) ?? 0
    let pairs = attributes.nest(RTA_METRICS).all.compactMap { metric in
      metric.payload.number(as: UInt32.self).map { (metric.type, $0) }
    }
    metrics = Dictionary(pairs) { $1 }
    nextHops = SeenNextHop.all(in: attributes[RTA_MULTIPATH] ?? [])
  }
}

extension SeenNextHop {
  static func all(in bytes: [UInt8]) -> [SeenNextHop] {
    let headerSize = MemoryLayout<rtnexthop>.size
    var hops: [SeenNextHop] = []
    var rest = bytes[...]
    while let length = rest.number(as: UInt16.self).map(Int.init), length >= headerSize,
      length <= rest.count
    {
      let hop = rest.prefix(length)
      let attributes = Attributes(Array(hop), from: headerSize)
      hops.append(
        SeenNextHop(
          gateway: attributes[RTA_GATEWAY].map(AddressText.of),
          linkIndex: hop.number(at: 4) ?? 0))
      rest = rest.dropFirst((length + 3) & ~3)
    }
    return hops
  }
}
