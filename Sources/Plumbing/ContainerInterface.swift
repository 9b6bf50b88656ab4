internal import Addressing
public import CNI
internal import Linux
internal import Netlink
public import RouteNetlink

/// The container's end of a link, given the addresses and routes that a result promises.
public enum ContainerInterface {
  /// How a link is treated.
  public struct Manner: Sendable {
    /// Whether IPv6 addresses wait until nobody on the link objects to them. RFC 4862, section 5.4
    public var detectsDuplicates: Bool
    /// Whether an address brings a route to its subnet.
    public var hasSubnetRoutes: Bool
    /// Whether no neighbour is believed to be a router, also where the result has no IPv6 addresses.
    public var ignoresRouters: Bool
    /// Routes that come before those of the result.
    public var firstRoutes: [RouteEntry]
    /// Whether the kernel announces IPv4 addresses while the link comes up.
    ///
    /// For links that ``AddressAnnouncement`` does not serve afterwards.
    var announcesAtOnce = false

    /// A manner; by default addresses are usable at once, since an allocator gives each one once.
    public init(
      detectsDuplicates: Bool = false, ignoresRouters: Bool = false,
      hasSubnetRoutes: Bool = true, firstRoutes: [RouteEntry] = []
    ) {
      self.detectsDuplicates = detectsDuplicates
      self.ignoresRouters = ignoresRouters
      self.hasSubnetRoutes = hasSubnetRoutes
      self.firstRoutes = firstRoutes
    }
  }

  /// Gives a link its addresses, switches it on and adds the routes, in one send.
  ///
  /// - Parameters:
  ///   - link: the link, in the container.
  ///   - place: its place in the result's interfaces; addresses of no interface are passed over.
  ///   - result: addresses and routes. A route without a gateway takes the first one of its family.
  ///   - manner: how the link is treated.
  ///   - worlds: where it is.
  /// - Throws: ``ProtocolError`` that names the address or route that the kernel refused.
  public static func configure(
    _ link: Link, at place: Int, as result: PluginResult, _ manner: Manner = Manner(),
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let addresses = try addresses(of: link, at: place, in: result)
    try prepare(link.name, for: addresses, manner, in: worlds)

    var steps: [KernelStep] = []
    if manner.announcesAtOnce {
      // In the message that switches the link on it would come too late for that.
      var change = LinkChange(.index(link.index))
      change.announcesAddresses = true
      steps.append(KernelStep("failed to set up \"\(link.name)\"", .changeLink(change)))
    }
    steps += addresses.map { address in
      KernelStep(
        "failed to add IP addr \(address.address) to \"\(link.name)\"",
        .addAddress(entry(address.address, on: link, manner)))
    }
    var up = LinkChange(.index(link.index))
    up.isUp = true
    up.announcesAddresses = true
    steps.append(KernelStep("failed to set \"\(link.name)\" UP", .changeLink(up)))
    steps += manner.firstRoutes.map { KernelStep(route: $0, link.name) }
    steps += result.routes.map { KernelStep(route: entry($0, on: link, addresses), link.name) }
    try worlds.container.take(steps, orElse: "failed to configure the container's interface")
  }

  /// The addresses of the result that are this link's.
  private static func addresses(
    of link: Link, at place: Int, in result: PluginResult
  ) throws(ProtocolError) -> [ResultAddress] {
    for address in result.addresses {
      guard let interface = address.interface, interface != place else { continue }
      throw ProtocolError(
        .internalFailure,
        "failed to add IP addr \(address.address) to \"\(link.name)\": invalid interface index",
        details: "the result puts it on interface \(interface)")
    }
    return result.addresses.filter { $0.interface == place }
  }

  static func entry(
    _ address: InterfaceAddress, on link: Link, _ manner: Manner
  ) -> AddressEntry {
    var flags: AddressFlags = []
    if address.family == .v6 && !manner.detectsDuplicates {
      flags.insert(.withoutDuplicateDetection)
    }
    if !manner.hasSubnetRoutes { flags.insert(.withoutSubnetRoute) }
    return AddressEntry(address, onLink: link.index, flags: flags)
  }

  /// A route of the result as the kernel takes it.
  static func entry(
    _ route: ResultRoute, on link: Link, _ addresses: [ResultAddress]
  ) -> RouteEntry {
    let gateway =
      route.gateway
      ?? addresses.first { $0.address.family == route.family && $0.gateway != nil }?.gateway
    var entry = RouteEntry(to: route.subnet, via: gateway, onLink: link.index)
    if let scope = route.scope {
      entry.scope = RouteScope(rawValue: UInt8(truncatingIfNeeded: scope))
    } else if gateway == nil && route.family == .v4 {
      entry.scope = .link
    }
    entry.priority = route.priority.map { UInt32(truncatingIfNeeded: $0) }
    if let table = route.table {
      entry.table = RouteTable(rawValue: UInt32(truncatingIfNeeded: table))
    }
    entry.mtu = route.mtu.map { UInt32(truncatingIfNeeded: $0) }
    entry.segmentSize = route.advmss.map { UInt32(truncatingIfNeeded: $0) }
    return entry
  }
}

extension KernelStep {
  init(route: RouteEntry, _ name: InterfaceName) {
    let gateway = route.gateway.map { " via \($0)" } ?? ""
    self.init(
      "failed to add route '\(route.destination)\(gateway) dev \(name)'",
      .addRoute(route, .beside))
  }
}
