import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

/// The bridge as the gateway of its network.
enum Gateway {
  /// Takes what the IPAM plugin has given into the result, gateways and default routes filled in.
  ///
  /// - Throws: `ProtocolError` when there is no address in it.
  static func join(
    _ lease: PluginResult, to result: inout PluginResult, _ settings: BridgeConfiguration
  ) throws(ProtocolError) {
    guard !lease.addresses.isEmpty else {
      throw ProtocolError(.internalFailure, "IPAM plugin returned missing IP config")
    }
    result.addresses = lease.addresses
    result.routes = lease.routes
    result.dns = lease.dns
    for place in result.addresses.indices {
      result.addresses[place].interface = 2
      if settings.isGateway && result.addresses[place].gateway == nil {
        // The first address of the network, as upstream has it.
        result.addresses[place].gateway = result.addresses[place].address.subnet.first.next()
      }
    }
    if settings.isDefaultGateway { addDefaultRoutes(to: &result) }
  }

  /// One default route for each family that has none with a gateway of its own.
  private static func addDefaultRoutes(to result: inout PluginResult) {
    for family in IPFamily.allCases {
      let everything = Subnet.everything(family)
      let isThere = result.routes.contains { $0.subnet == everything && $0.gateway != nil }
      let address = result.addresses.first { $0.address.family == family }
      guard !isThere, let address else { continue }
      result.routes.append(ResultRoute(to: everything, gateway: address.gateway))
    }
  }

  /// Gives the bridge the gateways' addresses and lets the host forward.
  ///
  /// - Throws: `ProtocolError` when the bridge has an address that is in the way, or the kernel
  ///   refuses.
  static func serve(
    _ result: inout PluginResult, _ settings: BridgeConfiguration, on bridge: Link,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard settings.isGateway else { return }
    let gateways = gateways(of: result)
    guard !gateways.isEmpty else { return }
    let link: Link
    let step: String
    if let vlan = settings.vlans.access {
      link = try VLANGateway.ensure(vlan, of: bridge, in: worlds)
      result.interfaces.append(ResultInterface(link))
      step = "failed to set vlan interface for bridge with addr"
    } else {
      link = bridge
      step = "failed to set bridge addr"
    }
    do {
      try ensure(
        gateways.sorted { $0.family == .v4 && $1.family == .v6 }, on: link,
        settings, worlds.host)
    } catch {
      throw ProtocolError(error.code, "\(step): \(error.message)", details: error.details)
    }
    try Forwarding.enable(for: Set(gateways.map(\.family)), in: worlds)
  }

  /// Looks whether the bridge still has the gateways' addresses.
  ///
  /// - Throws: `ProtocolError` that names the first one that is missing.
  static func check(
    _ result: PluginResult, _ settings: BridgeConfiguration, on bridge: Link,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard settings.isGateway else { return }
    let gateways = gateways(of: result)
    guard !gateways.isEmpty else { return }
    var name = bridge.name
    if let vlan = settings.vlans.access { name = try VLANGateway.name(vlan, of: bridge.name) }
    let present: [AddressEntry]
    do throws(NetlinkError) {
      let link = try worlds.host.findLink(named: name)
      present =
        try link.map { link throws(NetlinkError) in
          try worlds.host.addresses(ofLink: link.index)
        } ?? []
    } catch {
      throw ProtocolError(error)
    }
    for gateway in gateways where !present.contains(where: { $0.address == gateway }) {
      throw ProtocolError(
        .internalFailure, "\(name) does not have the gateway's address \(gateway)",
        details: "the next ADD gives it back")
    }
  }

  /// The gateways of a result, each with its subnet's prefix.
  private static func gateways(of result: PluginResult) -> [InterfaceAddress] {
    result.addresses.compactMap { address in
      address.gateway.map { InterfaceAddress(address: $0, prefix: address.address.prefix) }
    }
  }

  private static func ensure(
    _ wanted: [InterfaceAddress], on link: Link, _ settings: BridgeConfiguration,
    _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    // To ask for one family is cheaper, and most networks have one.
    let families = Set(wanted.map(\.family))
    var present: [AddressEntry]
    do {
      present = try host.addresses(
        ofLink: link.index, family: families.count == 1 ? families.first : nil)
    } catch {
      throw ProtocolError(error)
    }
    // Planned to the end before anything is done, so that a refusal changes nothing.
    var plan: [(obstacles: [AddressEntry], address: InterfaceAddress)] = []
    for address in wanted where !present.contains(where: { $0.address == address }) {
      // The host's own addresses from its uplink are there by right.
      let isAlone = settings.uplink?.movesAddresses != true
      let obstacles = present.filter { isInTheWay($0.address, of: address, isAlone: isAlone) }
      guard obstacles.isEmpty || settings.forcesAddress else {
        throw ProtocolError(
          .internalFailure,
          "\"\(link.name)\" already has an IP address different from \(address)",
          details: "it has \(obstacles.map(\.address.description).joined(separator: ", ")); "
            + "remove that, use its subnet, or set \"forceAddress\"")
      }
      plan.append((obstacles, address))
      present.removeAll { obstacles.contains($0) }
      present.append(AddressEntry(address, onLink: link.index))
    }
    for (obstacles, address) in plan {
      do throws(NetlinkError) {
        for obstacle in obstacles { try host.deleteAddress(obstacle) }
        try add(address, to: link, host)
      } catch {
        throw ProtocolError(error, "could not add IP address \(address) to \"\(link.name)\"")
      }
    }
  }

  /// Whether an address of the bridge cannot stay beside another one.
  ///
  /// IPv4 has one network on the bridge unless the host's own is there too; networks of IPv6 only must
  /// not overlap.
  private static func isInTheWay(
    _ present: InterfaceAddress, of wanted: InterfaceAddress, isAlone: Bool
  ) -> Bool {
    guard present.family == wanted.family else { return false }
    return wanted.family == .v4 && isAlone || present.subnet.overlaps(wanted.subnet)
  }

  private static func add(
    _ address: InterfaceAddress, to link: Link, _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    // A gateway is chosen, not found: nobody else may have it, so nobody is asked.
    let flags: AddressFlags = address.family == .v6 ? .withoutDuplicateDetection : []
    do {
      try host.addAddress(AddressEntry(address, onLink: link.index, flags: flags))
    } catch  where error.isAlreadyThere {
      // The other first pod was faster.
    }
    // Written back, a bridge's own hardware address no longer follows the lowest of its ports. A
    // bridge that we have made is born that way.
    var change = LinkChange(.index(link.index))
    change.hardwareAddress = link.hardwareAddress
    do {
      try host.changeLink(change)
    } catch  where error.cause == .refused {
      // Several first pods at once: the address was read before another port joined, and the
      // kernel no longer takes it. Whoever comes last has written one.
    }
  }
}
