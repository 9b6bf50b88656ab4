public import Addressing
internal import Linux
internal import Netlink
internal import Nftables
internal import RouteNetlink

/// The flat network of the host in whose namespace it is opened.
///
/// All state in the kernel can be told from others': tunnels by name and alias, routes and neighbours
/// by their maker's number, rules by their table. So an apply is a full difference with what is there:
/// what is missing comes, what is stale goes, what others have made stays.
public struct FlatNetwork: ~Copyable {
  let routes: RouteSocket
  let filter: NetlinkSocket<NetfilterFamily>

  /// Opens it in the thread's current namespace.
  ///
  /// - Throws: ``OverlayError``.
  public init() throws(OverlayError) {
    do throws(NetlinkError) {
      let routes = try RouteSocket()
      let filter = try NetlinkSocket<NetfilterFamily>()
      self.routes = routes
      self.filter = filter
    } catch {
      throw .kernel(error)
    }
  }

  /// What an apply has done.
  public struct Outcome: Hashable, Sendable {
    /// What has changed, in words; nothing if all was there.
    public var changes: [String] = []
    /// What could not be done without touching what others have made.
    public var problems: [String] = []
  }
}

// MARK: - Looking

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
    case .link(let name):
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
          && !settings.cluster.contains { $0.contains(entry.address.address) }
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
  }

  /// Tells what the kernel refuses.
  borrowing func asking<Answer>(_ question: () throws(NetlinkError) -> Answer)
    throws(OverlayError) -> Answer
  {
    do throws(NetlinkError) {
      return try question()
    } catch {
      throw .kernel(error)
    }
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

// MARK: - Changing

extension FlatNetwork {
  /// Makes all that a plan asks for, and removes what of ours it does not ask for.
  ///
  /// The filter comes first, so that no tunnel is ever open to others.
  ///
  /// - Throws: ``OverlayError``; what came before is done, and the next apply goes on.
  public borrowing func apply(_ plan: OverlayPlan) throws(OverlayError) -> Outcome {
    var outcome = Outcome()
    try enableForwarding(for: plan.node, &outcome)
    do throws(NetlinkError) {
      let layout = PeerFilter(plan)
      if try !layout.isLaid(on: filter) {
        try filter.commit(layout.replacement)
        outcome.changes.append("replace table \(PeerFilter.table)")
      }
    } catch {
      throw .kernel(error)
    }
    let links = try applyTunnels(plan.tunnels, cluster: plan.node.cluster, &outcome)
    try applyEntries(try entries(plan, links), links: Array(links.values), &outcome)
    return outcome
  }

  /// What an apply would do; changes nothing.
  ///
  /// - Throws: ``OverlayError``.
  public borrowing func pending(_ plan: OverlayPlan) throws(OverlayError) -> [String] {
    var changes: [String] = []
    let layout = PeerFilter(plan)
    if try !asking({ () throws(NetlinkError) in try layout.isLaid(on: filter) }) {
      changes.append("replace table \(PeerFilter.table)")
    }
    let (steps, links) = try asking { () throws(NetlinkError) in
      try tunnelSteps(to: plan.tunnels, cluster: plan.node.cluster)
    }
    changes += steps.map(\.summary)
    let present = try asking { () throws(NetlinkError) in
      try presentEntries(links: Array(links.values))
    }
    let wanted = try entries(plan, links)
    return changes + Reconciliation.steps(to: wanted, from: present).map(\.summary)
  }

  /// Removes all that is ours.
  ///
  /// - Throws: ``OverlayError``.
  public borrowing func remove() throws(OverlayError) -> Outcome {
    var outcome = Outcome()
    try applyEntries(OverlayEntries(), links: [], &outcome)
    _ = try applyTunnels([], cluster: [], &outcome)
    do throws(NetlinkError) {
      if try PeerFilter.isPresent(on: filter) {
        try filter.commit(PeerFilter.removal)
        outcome.changes.append("delete table \(PeerFilter.table)")
      }
    } catch {
      throw .kernel(error)
    }
    return outcome
  }

  private borrowing func enableForwarding(for node: LocalNode, _ outcome: inout Outcome)
    throws(OverlayError)
  {
    for family in IPFamily.allCases where node.podFamilies.contains(family) {
      let name =
        family == .v4
        ? ["net", "ipv4", "ip_forward"] : ["net", "ipv6", "conf", "all", "forwarding"]
      let isOn = try told { () throws(SystemError) in try Sysctl.read(name) == "1" }
      if isOn { continue }
      if family == .v6 { try keepHearingRouters(node, &outcome) }
      try told { () throws(SystemError) in try Sysctl.write(name, "1") }
      outcome.changes.append("set \(name.joined(separator: ".")) to 1")
    }
  }

  /// Tells what the operating system refuses.
  private func told<Answer>(_ work: () throws(SystemError) -> Answer) throws(OverlayError) -> Answer
  {
    do throws(SystemError) {
      return try work()
    } catch {
      throw .system(error)
    }
  }

  /// Lets the links that the node is reached by go on taking in router advertisements.
  ///
  /// A host that forwards IPv6 takes none unless told so, and would lose its default route.
  ///
  /// Kernel name: `accept_ra` 2 instead of 1.
  private borrowing func keepHearingRouters(_ node: LocalNode, _ outcome: inout Outcome)
    throws(OverlayError)
  {
    let links = try asking { () throws(NetlinkError) in
      var names: Set<InterfaceName> = []
      for entry in try routes.addresses() where node.underlay.contains(entry.address.address) {
        names.insert(try routes.link(index: entry.linkIndex).name)
      }
      return names
    }
    for link in links {
      let name = ["net", "ipv6", "conf", link.text, "accept_ra"]
      do throws(SystemError) {
        guard try Sysctl.read(name) == "1" else { continue }
        try Sysctl.write(name, "2")
      } catch {
        // A link without IPv6 hears no routers.
        guard error.errno == .noEntry else { throw .system(error) }
        continue
      }
      outcome.changes.append("set \(name.joined(separator: ".")) to 2")
    }
  }

  private borrowing func applyEntries(
    _ wanted: OverlayEntries, links: [UInt32], _ outcome: inout Outcome
  ) throws(OverlayError) {
    do throws(NetlinkError) {
      let steps = Reconciliation.steps(to: wanted, from: try presentEntries(links: links))
      for start in stride(from: 0, to: steps.count, by: Self.stepsAtOnce) {
        let part = steps[start..<min(start + Self.stepsAtOnce, steps.count)]
        for (step, answer) in zip(part, try routes.batch(part.map(\.message))) {
          do throws(NetlinkError) {
            _ = try answer.get()
            outcome.changes.append(step.summary)
          } catch {
            if error.isAlreadyThere, step.yieldsToOthers {
              outcome.problems.append(
                "\(step.summary): somebody else's is there; it stays, and is used instead")
            } else if !(error.isNotFound && step.summary.hasPrefix("delete")) {
              throw error
            }
          }
        }
      }
    } catch {
      throw .kernel(error)
    }
  }

  /// So many changes go in one send: their answers fit into a socket's buffer.
  private static var stepsAtOnce: Int { 500 }

  /// What a plan asks for, as far as this host is able to now.
  private borrowing func entries(_ plan: OverlayPlan, _ links: [InterfaceName: UInt32])
    throws(OverlayError) -> OverlayEntries
  {
    try asking { () throws(NetlinkError) in
      // From an address that others may still turn out to have nothing can be sent.
      let usable = try routes.addresses().filter {
        $0.flags.isDisjoint(with: [.tentative, .duplicate])
      }
      var wanted = OverlayEntries(
        plan, links: links, sources: Set(usable.map(\.address.address)))
      for family in IPFamily.allCases where try rules(family) == nil {
        wanted.leaveOutNodes(family)
      }
      return wanted
    }
  }

  /// The rules of a family that bear our number; nil where the kernel has none.
  private borrowing func rules(_ family: IPFamily) throws(NetlinkError) -> [RuleEntry]? {
    do throws(NetlinkError) {
      return try routes.rules(family).filter { $0.origin == OverlayEntries.origin }
    } catch {
      guard error.isUnsupported else { throw error }
      return nil
    }
  }

  /// What is there of ours.
  borrowing func presentEntries(links: [UInt32]) throws(NetlinkError) -> OverlayEntries {
    var present = OverlayEntries()
    for family in IPFamily.allCases {
      for table in [.main, OverlayEntries.nodeTable] {
        for entry in try routes.routes(
          family: family, table: table, origin: OverlayEntries.origin)
        {
          present.routes.insert(OverlayEntries.Route(entry))
        }
      }
      present.rules.formUnion(try rules(family) ?? [])
      for link in links {
        for entry in try routes.neighbours(onLink: link, family: family)
        where entry.origin == OverlayEntries.origin && entry.state.contains(.permanent) {
          guard let address = entry.hardwareAddress else { continue }
          present.neighbours.insert(
            OverlayEntries.Neighbour(entry.address, onLink: link, at: address))
        }
      }
    }
    for link in links {
      present.forwardings.formUnion(try routes.forwardings(onLink: link))
    }
    return present
  }
}
