import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// An interface on its way into a VRF, with what it would lose there.
///
/// The kernel switches the interface off and on again to move it. IPv4 addresses stay; IPv6 addresses
/// may go, and those that stay come back to life at some later moment; routes go, but for those that
/// come with addresses.
struct VRFPort: Sendable {
  private let link: Link
  private let addresses: [AddressEntry]
  private let routes: [RouteEntry]

  /// Looks at the interface.
  ///
  /// - Throws: `ProtocolError` when there is none, or when it is a port of something already.
  init(
    _ name: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let link: Link
    do {
      link = try worlds.container.link(named: name)
    } catch {
      throw ProtocolError(error, "could not get link by name \(name)")
    }
    if let master = link.masterIndex { throw try Self.taken(link, by: master, in: worlds) }
    do throws(NetlinkError) {
      addresses = try worlds.container.addresses(ofLink: link.index, family: .v6)
        .filter { $0.scope == .universe }
      var routes: [RouteEntry] = []
      for family in IPFamily.allCases {
        // What the kernel made it makes again.
        routes += try worlds.container.routes(family: family, linkIndex: link.index)
          .filter { $0.type == .unicast && $0.origin != .kernel }
      }
      self.routes = routes
    } catch {
      throw ProtocolError(error)
    }
    self.link = link
  }

  private static func taken(
    _ link: Link, by master: UInt32, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> ProtocolError {
    do {
      let holder = try worlds.container.findLink(.index(master))?.name.text ?? "#\(master)"
      return ProtocolError(
        .internalFailure, "interface \(link.name) has already a master set: \(holder)")
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Moves the interface into a VRF, or out of the one it is in.
  ///
  /// - Parameters:
  ///   - device: the VRF; nil for none.
  ///   - worlds: where it is.
  /// - Throws: `ProtocolError` that names what the kernel refused.
  func move(
    to device: VRFDevice?, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let table = device?.table ?? .main
    let name = device?.link.name.text ?? "none"
    var change = LinkChange(.index(link.index))
    change.master = device?.index ?? 0
    do {
      try worlds.container.changeLink(change)
    } catch {
      throw ProtocolError(error, "could not set vrf \(name) as master of \(link.name)")
    }
    try restoreAddresses(in: worlds)
    try restoreRoutes(table, in: worlds)
    try waitUntilAnswering(table, in: worlds)
  }

  /// Gives the interface its IPv6 addresses anew, which puts their routes in place at once.
  private func restoreAddresses(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    for address in addresses {
      var address = address
      // Nobody else has it: that was found out when it was given.
      address.flags.formIntersection(.withoutSubnetRoute)
      address.flags.insert(.withoutDuplicateDetection)
      do throws(NetlinkError) {
        do throws(NetlinkError) {
          try worlds.container.deleteAddress(address)
        } catch {
          guard error.isNotFound else { throw error }
        }
        try worlds.container.addAddress(address)
      } catch {
        throw ProtocolError(
          error, "could not restore address \(address.address) to \(link.name)")
      }
    }
  }

  /// Puts the routes into a table, those first that lead to the gateways of others.
  ///
  /// One that is refused keeps none of the others away: on the way back each counts.
  private func restoreRoutes(
    _ table: RouteTable, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    var refusal: ProtocolError?
    for route in routes.filter({ $0.gateway == nil }) + routes.filter({ $0.gateway != nil }) {
      var route = route
      route.table = table
      do {
        try worlds.container.addRoute(route, .inItsPlace)
      } catch {
        refusal =
          refusal
          ?? ProtocolError(
            error, "could not add route to \(route.destination) in table \(table.rawValue)")
      }
    }
    if let refusal { throw refusal }
  }

  /// Waits until the kernel takes packets to the IPv6 addresses for the container's own, which it
  /// does a little later; an interface that carries nothing has time.
  private func waitUntilAnswering(
    _ table: RouteTable, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard !addresses.isEmpty, link.flags.contains(.running) else { return }
    // Out of a VRF the kernel keeps these routes in a table of their own.
    let table = table == .main ? RouteTable.local : table
    let deadline = MonotonicTime.now + .seconds(5)
    do throws(NetlinkError) {
      while true {
        let local = try worlds.container.routes(family: .v6, table: table)
          .filter { $0.type == .local }.map(\.destination.first)
        if addresses.allSatisfy({ local.contains($0.address.address) }) { return }
        guard MonotonicTime.now < deadline else { break }
        MonotonicTime.sleep(for: .milliseconds(5))
      }
    } catch {
      throw ProtocolError(error)
    }
    throw ProtocolError(
      .tryAgainLater, "the IPv6 addresses of \(link.name) are not ready after 5 seconds")
  }
}
