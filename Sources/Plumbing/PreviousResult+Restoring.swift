internal import Addressing
public import CNI
internal import Netlink
public import RouteNetlink

extension PreviousResult {
  /// Gives a link of the container back what it has lost of the result's addresses and routes, and
  /// switches it on.
  ///
  /// - Parameters:
  ///   - link: the link, in the container.
  ///   - manner: how it was treated when it got them.
  ///   - worlds: where it is.
  /// - Throws: ``ProtocolError`` that names the address or route that the kernel refused.
  public func restoreAddressesAndRoutes(
    of link: Link, _ manner: ContainerInterface.Manner = .init(),
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let step = "failed to restore \(link.name)"
    var steps: [KernelStep] = []
    do throws(NetlinkError) {
      let present = try worlds.container.addresses(ofLink: link.index).map(\.address)
      steps = result.addresses.map(\.address).filter { !present.contains($0) }.map { address in
        KernelStep(
          "failed to add IP addr \(address) to \"\(link.name)\"",
          .addAddress(ContainerInterface.entry(address, on: link, manner)))
      }
    } catch {
      throw ProtocolError(error, step)
    }
    if !steps.isEmpty {
      try ContainerInterface.prepare(link.name, for: result.addresses, manner, in: worlds)
    }
    if !link.isUp {
      var up = LinkChange(.index(link.index))
      up.isUp = true
      steps.append(KernelStep("failed to set \"\(link.name)\" UP", .changeLink(up)))
    }
    try worlds.container.take(steps, orElse: step)
    // Routes come and go with addresses, so they are looked at last.
    try worlds.container.take(
      try missingRoutes(of: link, manner, in: worlds).map { KernelStep(route: $0, link.name) },
      orElse: step)
  }

  /// The routes that were promised and are not there, in the tables where they belong.
  private func missingRoutes(
    of link: Link, _ manner: ContainerInterface.Manner, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> [RouteEntry] {
    let (present, table) = try routes(of: link, in: worlds)
    // Where `sbr` has taken the way to a gateway, what leads through it belongs as well.
    func placed(_ route: RouteEntry) -> RouteEntry {
      guard route.table == .main else { return route }
      let ways = present.filter { way in
        way.linkIndex == link.index && way.gateway == nil
          && route.gateway.map(way.destination.contains) == true
      }
      var route = route
      route.table = ways.contains { $0.table == .main } ? table : ways.first?.table ?? table
      return route
    }
    let subnets = result.addresses.compactMap { address -> RouteEntry? in
      guard manner.hasSubnetRoutes, address.address.prefix != .host(address.address.family) else {
        return nil
      }
      var route = RouteEntry(to: address.address.subnet, onLink: link.index, scope: .link)
      route.source = address.address.address
      return route
    }
    let first = (subnets + manner.firstRoutes).filter { wanted in
      !present.contains {
        $0.destination == wanted.destination && $0.gateway == wanted.gateway
      }
    }
    let promised = result.routes.filter { promised in
      !present.contains { matches($0, promised) }
    }
    return
      (first + promised.map { ContainerInterface.entry($0, on: link, result.addresses) })
      .map(placed)
  }

  /// The routes that a link may have, and the table that is looked in for what it sends.
  private func routes(
    of link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> (present: [RouteEntry], table: RouteTable) {
    do throws(NetlinkError) {
      var present: [RouteEntry] = []
      for family in IPFamily.allCases {
        present += try worlds.container.routes(family: family, table: nil)
          .filter { $0.table == .main || $0.isIn(aTableOf: link) }
      }
      // What is in a VRF looks in its table and in no other.
      if let master = try link.masterIndex.flatMap({ index throws(NetlinkError) in
        try worlds.container.findLink(.index(index))
      }), case .vrf(let table) = master.settings {
        return (present, table)
      }
      return (present, .main)
    } catch {
      throw ProtocolError(error, "failed to restore routes of \(link.name)")
    }
  }
}
