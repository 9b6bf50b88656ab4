public import Addressing
public import RouteNetlink

/// Routes, rules, neighbours and forwarding entries of the flat network: those that must be there, or
/// those that are.
public struct OverlayEntries: Hashable, Sendable {
  /// Who made our routes, rules and neighbours, by which we know them again; nobody else's are
  /// touched.
  ///
  /// A number that neither the kernel nor a routing daemon of `/etc/iproute2/rt_protos` uses.
  public static let origin = RouteOrigin(rawValue: 195)

  /// The table of routes to peers' own addresses, which are for this node's pods alone.
  public static let nodeTable = RouteTable(rawValue: 195)

  /// The priority of rules that lead to that table: before the main table, after the local one.
  static let priority: UInt32 = 19_500

  /// Routes to subnets of peers, and one that refuses what no peer has; to peers' own addresses.
  public var routes: Set<Route> = []
  /// Which packets look in the table of peers' own addresses.
  public var rules: Set<RuleEntry> = []
  /// The base addresses of peers, behind tunnels.
  public var neighbours: Set<Neighbour> = []
  /// Where tunnels find the hardware addresses of peers.
  public var forwardings: Set<ForwardingEntry> = []

  /// Nothing.
  public init() {}

  /// What tells one route of ours from another.
  public struct Route: Hashable, Sendable {
    /// Where it leads.
    public var destination: Subnet
    /// Who carries on; nobody if the packets are refused.
    public var gateway: IPAddress?
    /// The link it leaves by; none if the packets are refused.
    public var linkIndex: UInt32?
    /// The gateway is reached though no route leads to it.
    public var isOnLink = false
    /// The address that this node itself sends from; the kernel chooses if nil.
    public var source: IPAddress?
    /// The list it stands in.
    public var table: RouteTable = .main

    /// Describes a route of the main table; the rest is set after.
    public init(
      _ destination: Subnet, via gateway: IPAddress? = nil, onLink linkIndex: UInt32? = nil,
      isOnLink: Bool = false
    ) {
      self.destination = destination
      self.gateway = gateway
      self.linkIndex = linkIndex
      self.isOnLink = isOnLink
    }

    /// Reads a route of the kernel.
    public init(_ entry: RouteEntry) {
      let isRefusal = entry.type != .unicast
      self.init(
        entry.destination, via: isRefusal ? nil : entry.gateway,
        onLink: isRefusal ? nil : entry.linkIndex, isOnLink: entry.isOnLink && !isRefusal)
      source = entry.source
      table = entry.table
    }

    /// The route as the kernel is told of it.
    public var entry: RouteEntry {
      var entry = RouteEntry(to: destination, via: gateway, onLink: linkIndex)
      entry.isOnLink = isOnLink
      entry.source = source
      entry.table = table
      entry.origin = OverlayEntries.origin
      if gateway == nil { entry.type = .unreachable }
      return entry
    }
  }

  /// A neighbour of ours.
  public struct Neighbour: Hashable, Sendable {
    /// Where it is.
    public var place: Place
    /// Its hardware address.
    public var hardwareAddress: HardwareAddress

    /// An address on a link.
    public struct Place: Hashable, Sendable {
      /// The address.
      public var address: IPAddress
      /// The link.
      public var linkIndex: UInt32
    }

    /// Describes a neighbour.
    public init(_ address: IPAddress, onLink linkIndex: UInt32, at hardwareAddress: HardwareAddress)
    {
      place = Place(address: address, linkIndex: linkIndex)
      self.hardwareAddress = hardwareAddress
    }

    /// The neighbour as the kernel is told of it.
    public var entry: NeighbourEntry {
      NeighbourEntry(
        place.address, onLink: place.linkIndex, hardwareAddress: hardwareAddress,
        origin: OverlayEntries.origin)
    }
  }
}
