import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

/// The VRF as a link of the container.
struct VRFDevice: Sendable {
  /// The link.
  let link: Link
  /// The table of its ports.
  let table: RouteTable

  /// The link's number.
  var index: UInt32 { link.index }

  /// Finds a VRF; nil when there is none.
  ///
  /// - Throws: `ProtocolError` when a link of the name is something else.
  static func find(
    _ name: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> VRFDevice? {
    let link: Link?
    do {
      link = try worlds.container.findLink(named: name)
    } catch {
      throw ProtocolError(error)
    }
    guard let link else { return nil }
    guard case .vrf(let table) = link.settings else {
      throw ProtocolError(.invalidConfiguration, "Netlink \(name) is not a VRF")
    }
    return VRFDevice(link: link, table: table)
  }

  /// Finds the VRF that the configuration means, or makes it, switched on.
  ///
  /// - Returns: the VRF and whether it was made.
  /// - Throws: `ProtocolError` when there is one with another table, or when the kernel refuses.
  static func ensure(
    _ settings: VRFConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> (VRFDevice, isNew: Bool) {
    if let device = try find(settings.name, in: worlds) {
      try device.check(settings.table)
      return (device, false)
    }
    let table: RouteTable
    if let named = settings.table {
      table = named
    } else {
      table = try freeTable(in: worlds)
    }
    do {
      let link = try worlds.container.createLinkAndRead(
        NewLink(settings.name, .vrf(table), flags: .up))
      return (VRFDevice(link: link, table: table), true)
    } catch {
      throw ProtocolError(error, "could not add VRF \(settings.name)")
    }
  }

  /// Compares the table with the one that is asked for.
  func check(_ wanted: RouteTable?) throws(ProtocolError) {
    guard let wanted, wanted != table else { return }
    throw ProtocolError(
      .invalidConfiguration,
      "VRF \(link.name) already exist with different routing table \(table.rawValue)",
      details: "the configuration asks for table \(wanted.rawValue)")
  }

  /// The lowest number that no VRF has, no rule leads to and no route is in.
  private static func freeTable(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> RouteTable {
    var taken: Set<RouteTable> = []
    do throws(NetlinkError) {
      for link in try worlds.container.links(kind: "vrf") {
        if case .vrf(let table) = link.settings { taken.insert(table) }
      }
      for family in IPFamily.allCases {
        taken.formUnion(try worlds.container.routes(family: family, table: nil).map(\.table))
        taken.formUnion(try worlds.container.rules(family).map(\.table))
      }
    } catch {
      throw ProtocolError(error, "failed to find a free routing table")
    }
    return RouteTable.firstFree(from: 1, besides: taken)
  }

  /// Whether an interface is in it; one that has gone is not.
  func has(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Bool {
    do {
      return try worlds.container.findLink(named: interface)?.masterIndex == index
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Switches it on unless it is.
  func switchOn(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    guard !link.isUp else { return }
    do {
      try worlds.container.setLink(.index(index), up: true)
    } catch {
      throw ProtocolError(error, "failed to set \"\(link.name)\" UP")
    }
  }

  /// Takes an interface out; one that is not in it, and one that has gone, are no error.
  func release(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do throws(NetlinkError) {
      guard let port = try worlds.container.findLink(named: interface),
        port.masterIndex == index
      else { return }
      var change = LinkChange(.index(port.index))
      change.master = 0
      try worlds.container.changeLink(change)
    } catch {
      guard error.isNotFound else { throw ProtocolError(error) }
    }
  }

  /// Removes the VRF unless it has ports.
  func removeIfUnused(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    let ports: [Link]
    do {
      ports = try worlds.container.links(master: index)
    } catch {
      throw ProtocolError(error)
    }
    if ports.isEmpty { try worlds.container.removeLink(.index(index)) }
  }
}
