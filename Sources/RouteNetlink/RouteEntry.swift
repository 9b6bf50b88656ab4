public import Addressing

/// A route.
///
/// Kernel name: `struct rtmsg` and `RTA_…`.
public struct RouteEntry: Hashable, Sendable {
  /// Where it leads.
  public var destination: Subnet
  /// Who carries on; nobody if the destination is on the link.
  ///
  /// It may be of the other family.
  public var gateway: IPAddress?
  /// The link it leaves by.
  public var linkIndex: UInt32?
  /// The address that new connections take. `RTA_PREFSRC`
  public var source: IPAddress?
  /// Among routes to the same destination the lowest wins; the kernel gives 0 for IPv4 and 1024
  /// for IPv6 if nil. `RTA_PRIORITY`
  public var priority: UInt32?
  /// The list it stands in.
  public var table: RouteTable = .main
  /// How far its destination is; IPv6 takes no notice.
  public var scope: RouteScope = .universe
  /// What becomes of the packets.
  public var type: RouteType = .unicast
  /// Who made it. `RTPROT_…`
  public var origin: RouteOrigin = .boot
  /// The longest packet, in bytes. `RTAX_MTU`
  public var mtu: UInt32?
  /// The longest TCP segment to ask for, in bytes. `RTAX_ADVMSS`
  public var segmentSize: UInt32?
  /// The gateway is reached though no route leads to it. `RTNH_F_ONLINK`
  public var isOnLink = false
  /// Made from another route for one destination. `RTM_F_CLONED`
  public internal(set) var isCached = false

  /// Describes a unicast route in the main table; the rest is set after.
  ///
  /// - Parameters:
  ///   - destination: where it leads.
  ///   - gateway: who carries on.
  ///   - linkIndex: the link it leaves by.
  ///   - scope: how far the destination is; `link` is right for IPv4 without a gateway.
  public init(
    to destination: Subnet, via gateway: IPAddress? = nil, onLink linkIndex: UInt32? = nil,
    scope: RouteScope = .universe
  ) {
    self.destination = destination
    self.gateway = gateway
    self.linkIndex = linkIndex
    self.scope = scope
  }
}

/// What to do when a route of the same destination, table and priority is there.
public enum RouteAddition: Hashable, Sendable {
  /// Refuse with `EEXIST`. `NLM_F_EXCL`
  case unlessPresent
  /// Stand beside it if they differ, or else refuse with `EEXIST`. IPv6 takes both for one
  /// multipath route.
  case beside
  /// Take its place. `NLM_F_REPLACE`
  case inItsPlace
}

/// How far a route's destination, or an address, is.
///
/// Kernel name: `RT_SCOPE_…`.
public struct RouteScope: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: UInt8

  /// Takes any number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Anywhere. `RT_SCOPE_UNIVERSE`
  public static let universe = RouteScope(rawValue: 0)
  /// On the link. `RT_SCOPE_LINK`
  public static let link = RouteScope(rawValue: 253)
  /// On this host. `RT_SCOPE_HOST`
  public static let host = RouteScope(rawValue: 254)
  /// Nowhere: in a deletion, whatever the scope. `RT_SCOPE_NOWHERE`
  public static let nowhere = RouteScope(rawValue: 255)
}

/// A list of routes.
///
/// Kernel name: `RT_TABLE_…`.
public struct RouteTable: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: UInt32

  /// Takes any number.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The usual one. `RT_TABLE_MAIN`
  public static let main = RouteTable(rawValue: 254)
  /// The kernel's own, of addresses of this host. `RT_TABLE_LOCAL`
  public static let local = RouteTable(rawValue: 255)
  /// The numbers that the kernel uses itself: the default, the main and the local table.
  public static let reserved: ClosedRange<UInt32> = 253...255

  /// The first table from a number on that is neither taken nor the kernel's own.
  public static func firstFree(
    from number: UInt32, besides taken: Set<RouteTable>
  ) -> RouteTable {
    var table = RouteTable(rawValue: number)
    while taken.contains(table) || reserved.contains(table.rawValue) {
      table = RouteTable(rawValue: table.rawValue + 1)
    }
    return table
  }
}

/// What becomes of the packets of a route.
///
/// Kernel name: `RTN_…`.
public struct RouteType: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: UInt8

  /// Takes any number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// They go to the gateway or the destination. `RTN_UNICAST`
  public static let unicast = RouteType(rawValue: 1)
  /// They are for this host. `RTN_LOCAL`
  public static let local = RouteType(rawValue: 2)
  /// They are for all hosts of a link. `RTN_BROADCAST`
  public static let broadcast = RouteType(rawValue: 3)
  /// They are for a group of hosts. `RTN_MULTICAST`
  public static let multicast = RouteType(rawValue: 5)
  /// They are dropped in silence. `RTN_BLACKHOLE`
  public static let blackhole = RouteType(rawValue: 6)
  /// They are refused. `RTN_UNREACHABLE`
  public static let unreachable = RouteType(rawValue: 7)
}

/// Who made a route.
///
/// Kernel name: `RTPROT_…`.
public struct RouteOrigin: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: UInt8

  /// Takes any number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Anyone: only in filters and deletions. `RTPROT_UNSPEC`
  public static let any = RouteOrigin(rawValue: 0)
  /// The kernel, as it does for the subnet of each address. `RTPROT_KERNEL`
  public static let kernel = RouteOrigin(rawValue: 2)
  /// Whoever set the host up; what plugins say by custom. `RTPROT_BOOT`
  public static let boot = RouteOrigin(rawValue: 3)
  /// The administrator. `RTPROT_STATIC`
  public static let administrator = RouteOrigin(rawValue: 4)
  /// A router, by its advertisements. `RTPROT_RA`
  public static let router = RouteOrigin(rawValue: 9)
}
