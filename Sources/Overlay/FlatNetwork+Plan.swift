public import Addressing
internal import Netlink
internal import RouteNetlink

extension FlatNetwork {
  /// Finds out what of this node is not in its settings.
  ///
  /// - Parameters:
  ///   - settings: what the operator says.
  ///   - subnets: the networks of the node's own pods.
  /// - Returns: all of it.
  /// - Throws: ``OverlayError`` if this host does not have the addresses it is said to have.
  public borrowing func localNode(_ settings: NodeSettings, subnets: [Subnet])
    throws(OverlayError) -> LocalNode
  {
    LocalNode(
      name: settings.name, underlay: try underlay(settings), cluster: settings.cluster,
      subnets: subnets, backend: settings.backend, mtu: settings.mtu,
      masquerades: settings.masquerades)
  }

  /// The addresses at which other nodes reach this one, as the settings say.
  private borrowing func underlay(_ settings: NodeSettings) throws(OverlayError) -> [IPAddress] {
    switch settings.place {
    case .addresses(let addresses):
      let own = try asking { () throws(NetlinkError) in
        Set(try routes.addresses().map(\.address.address))
      }
      if let missing = addresses.first(where: { !own.contains($0) }) {
        throw .refused(
          "\(missing), the node's address in \(NodeSettings.path), is no address of this host",
          advice: "correct \"underlay\", or name a link by \"interface\"")
      }
      return addresses
    case .link(let name): return try underlay(ofLink: name, outside: settings.cluster)
    }
  }

  /// The first address of each family at which others could reach a link.
  private borrowing func underlay(ofLink name: InterfaceName, outside cluster: [Subnet])
    throws(OverlayError) -> [IPAddress]
  {
    let entries = try asking { () throws(NetlinkError) in
      try routes.findIndex(named: name).map { index throws(NetlinkError) in
        try routes.addresses(ofLink: index)
      }
    }
    guard let entries else {
      throw .refused(
        "there is no link \(name), where this node is to be reached",
        advice: "correct \"interface\" in \(NodeSettings.path)")
    }
    let usable = entries.filter { entry in
      entry.flags.isDisjoint(with: [.deprecated, .duplicate])
        && entry.address.address.isGlobalUnicast
        && !cluster.contains { $0.contains(entry.address.address) }
    }
    let found = IPFamily.allCases.compactMap { family in
      usable.first { $0.address.family == family }?.address.address
    }
    guard !found.isEmpty else {
      throw .refused(
        "link \(name) has no address at which other nodes could reach this one",
        advice: "give it one, or correct \"interface\" in \(NodeSettings.path)")
    }
    return found
  }

  /// Plans for a node and its peers.
  ///
  /// - Throws: ``OverlayError`` if nothing could work, or the kernel does not answer.
  public borrowing func plan(for node: LocalNode, _ peers: [Peer]) throws(OverlayError)
    -> OverlayPlan
  {
    var paths: [IPAddress: UnderlayPath]
    do throws(NetlinkError) {
      // Only addresses that could be used: of a family that this node has too.
      let families = Set(node.underlay.map(\.family))
      paths = try routes.underlayPaths(
        to: peers.flatMap(\.underlay).filter { families.contains($0.family) })
      let addresses = try routes.addresses()
      for entry in addresses where node.underlay.contains(entry.address.address) {
        let link = try routes.link(index: entry.linkIndex)
        paths[entry.address.address] = UnderlayPath(linkIndex: link.index, mtu: link.mtu)
      }
      if paths.values.contains(where: { $0.learntMTU != nil }) {
        paths = try judge(paths, for: node, addresses)
      }
    } catch {
      throw .kernel(error)
    }
    return try OverlayPlan(node, peers, paths)
  }

  /// Asks for what tells pods' own MTU from that of a path.
  private borrowing func judge(
    _ paths: [IPAddress: UnderlayPath], for node: LocalNode, _ addresses: [AddressEntry]
  ) throws(NetlinkError) -> [IPAddress: UnderlayPath] {
    guard let tunnelling = node.backend.tunnelling else {
      // Pods have the MTU of the path: what they tell of it is the same.
      return paths.mapValues { path in
        UnderlayPath(
          linkIndex: path.linkIndex, gateway: path.gateway,
          mtu: min(path.mtu, path.learntMTU ?? .max))
      }
    }
    let ofPods = Set(
      addresses.filter { entry in
        node.subnets.contains { $0.contains(entry.address.address) }
      }.map(\.linkIndex))
    var tunnels: [IPFamily: Int] = [:]
    var links: Set<Int> = []
    for link in try routes.links() {
      if ofPods.contains(link.index) { links.insert(link.mtu) }
      let family = IPFamily.allCases.first { family in
        link.name == VXLAN.deviceName(network: tunnelling.network, over: family)
      }
      if let family { tunnels[family] = link.mtu }
    }
    return PathMTU.judge(paths, tunnels: tunnels, links: links)
  }
}
