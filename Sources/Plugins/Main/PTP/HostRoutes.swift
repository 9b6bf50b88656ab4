import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

/// The routes that stand for a bridge: on either side of the pair, one to the other end.
enum HostRoutes {
  /// The container's routes: to the gateway on the link, and through it to the rest of the subnet.
  ///
  /// They take the place of the subnet route that an address brings, since nobody else of the subnet
  /// is on this link.
  static func inside(_ addresses: [ResultAddress], through link: Link) -> [RouteEntry] {
    var routes: [RouteEntry] = []
    for address in addresses {
      guard let gateway = address.gateway else { continue }
      var toGateway = RouteEntry(
        to: .host(gateway), onLink: link.index, scope: .link)
      toGateway.source = address.address.address
      // Two addresses may share a gateway; one way to it is enough.
      if !routes.contains(where: { $0.destination == toGateway.destination }) {
        routes.append(toGateway)
      }
      guard address.address.subnet != .host(address.address.address) else { continue }
      var toSubnet = RouteEntry(to: address.address.subnet, via: gateway, onLink: link.index)
      toSubnet.source = address.address.address
      routes.append(toSubnet)
    }
    return routes
  }

  /// Gives the host's end the gateways' addresses and leads the container's addresses to it.
  ///
  /// A route that another pair has left behind for one of the addresses is replaced: the allocator
  /// gives an address to one container at a time. What is made here goes with the pair.
  ///
  /// - Parameters:
  ///   - addresses: the container's.
  ///   - link: the host's end.
  ///   - present: the gateways that it has already.
  ///   - worlds: where it is.
  /// - Throws: `ProtocolError` when the kernel refuses.
  static func add(
    _ addresses: [ResultAddress], through link: Link, besides present: Set<IPAddress> = [],
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    var gateways = present
    var steps: [KernelStep] = []
    for address in addresses {
      guard let gateway = address.gateway else { continue }
      if gateways.insert(gateway).inserted {
        let own = InterfaceAddress(address: gateway, prefix: .host(gateway.family))
        let flags: AddressFlags = gateway.family == .v6 ? .withoutDuplicateDetection : []
        steps.append(
          KernelStep(
            "failed to add IP addr \(own) to \"\(link.name)\"",
            .addAddress(AddressEntry(own, onLink: link.index, flags: flags))))
      }
      steps.append(
        KernelStep(
          "failed to add route on host to \(address.address.address)",
          .addRoute(route(to: address, link), .inItsPlace)))
    }
    try worlds.host.take(steps, orElse: "failed to add routes on host")
  }

  /// Switches the host's end on and gives it back what it has lost.
  ///
  /// - Throws: `ProtocolError` when the kernel refuses.
  static func restore(
    _ addresses: [ResultAddress], through end: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    var present: Set<IPAddress> = []
    do throws(NetlinkError) {
      if !end.isUp { try worlds.host.setLink(.index(end.index), up: true) }
      present = Set(try worlds.host.addresses(ofLink: end.index).map(\.address.address))
    } catch {
      throw ProtocolError(error)
    }
    try add(addresses, through: end, besides: present, in: worlds)
  }

  /// Looks whether the host still leads the container's addresses to the container, and answers for
  /// their gateways.
  ///
  /// - Returns: the host's end of the pair.
  /// - Throws: `ProtocolError` that names the first thing that is missing.
  static func check(
    _ addresses: [ResultAddress], through inside: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let outside = try worlds.requiredOuterEnd(of: inside)
    var present: [AddressEntry] = []
    var leading: [Bool] = []
    do throws(NetlinkError) {
      present = try worlds.host.addresses(ofLink: outside.index)
      for address in addresses {
        let route = try worlds.host.findRoute(to: address.address.address)
        leading.append(route?.linkIndex == outside.index)
      }
    } catch {
      throw ProtocolError(error)
    }
    guard outside.isUp else { throw fault("Interface \(outside.name) is down") }
    for (address, isLed) in zip(addresses, leading) {
      guard isLed else {
        throw fault("no route on the host leads \(address.address.address) to \(inside.name)")
      }
      guard let gateway = address.gateway else { continue }
      guard present.contains(where: { $0.address.address == gateway }) else {
        throw fault("\(outside.name) does not have the gateway's address \(gateway)")
      }
    }
    return outside
  }

  private static func fault(_ message: String) -> ProtocolError {
    ProtocolError(.internalFailure, "ptp: \(message)", details: "run DEL and ADD again")
  }

  private static func route(to address: ResultAddress, _ link: Link) -> RouteEntry {
    RouteEntry(to: .host(address.address.address), onLink: link.index, scope: .host)
  }
}

extension Subnet {
  /// The network of one address alone.
  fileprivate static func host(_ address: IPAddress) -> Subnet {
    Subnet(containing: address, prefix: .host(address.family))
  }
}
