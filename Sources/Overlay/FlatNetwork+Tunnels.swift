internal import Addressing
internal import Netlink
internal import RouteNetlink

extension FlatNetwork {
  /// Makes, changes and deletes tunnels until they are as wanted.
  ///
  /// - Returns: the numbers of the wanted ones.
  borrowing func applyTunnels(
    _ wanted: [Tunnel], cluster: [Subnet], _ outcome: inout Outcome
  ) throws(OverlayError) -> [InterfaceName: UInt32] {
    do throws(NetlinkError) {
      var (steps, numbers) = try tunnelSteps(to: wanted, cluster: cluster)
      for step in steps {
        switch step {
        case .delete(let link):
          do throws(NetlinkError) {
            try routes.deleteLink(.index(link.index))
          } catch {
            guard error.isNotFound else { throw error }
          }
        case .create(let tunnel): numbers[tunnel.name] = try create(tunnel)
        case .change(let change, _): try routes.changeLink(change)
        case .addAddress(let entry): try routes.addAddress(entry, replacing: true)
        case .deleteAddress(let entry): try routes.deleteAddress(entry)
        }
        outcome.changes.append(step.summary)
      }
      return numbers
    } catch {
      throw .kernel(error)
    }
  }

  /// The steps to the wanted tunnels, and the numbers of those that are there and stay.
  borrowing func tunnelSteps(to wanted: [Tunnel], cluster: [Subnet]) throws(NetlinkError)
    -> (steps: [Reconciliation.TunnelStep], numbers: [InterfaceName: UInt32])
  {
    var present: [Reconciliation.PresentTunnel] = []
    var numbers: [InterfaceName: UInt32] = [:]
    for link in try routes.links(kind: VXLANSettings.kindName) {
      let isWanted = wanted.contains { $0.name == link.name }
      guard isWanted || link.alias == VXLAN.alias else { continue }
      present.append(
        Reconciliation.PresentTunnel(
          link, addresses: isWanted ? try routes.addresses(ofLink: link.index) : []))
      if isWanted { numbers[link.name] = link.index }
    }
    let steps = Reconciliation.steps(to: wanted, from: present, cluster: cluster)
    for case .delete(let link) in steps { numbers[link.name] = nil }
    return (steps, numbers)
  }

  /// Makes a tunnel; it carries nothing before it is whole.
  private borrowing func create(_ tunnel: Tunnel) throws(NetlinkError) -> UInt32 {
    let link = try routes.createLinkAndRead(
      NewLink(
        tunnel.name, .vxlan(tunnel.settings), mtu: tunnel.mtu,
        hardwareAddress: tunnel.hardwareAddress))
    var change = LinkChange(.index(link.index))
    change.alias = VXLAN.alias
    try routes.changeLink(change)
    do throws(NetlinkError) {
      // It speaks to known peers only, so it needs no address to ask others with.
      var quiet = LinkChange(.index(link.index))
      quiet.hasLinkLocalAddress = false
      try routes.changeLink(quiet)
    } catch {
      guard error.isUnsupported else { throw error }
    }
    for entry in tunnel.addressEntries(onLink: link.index) {
      try routes.addAddress(entry, replacing: true)
    }
    try routes.setLink(.index(link.index), up: true)
    return link.index
  }
}
