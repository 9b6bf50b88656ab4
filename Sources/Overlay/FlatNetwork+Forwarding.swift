internal import Addressing
internal import Linux
internal import Netlink
internal import RouteNetlink

extension FlatNetwork {
  /// Lets this node pass on packets of its pods' families; writes only where that is off.
  borrowing func enableForwarding(for node: LocalNode, _ outcome: inout Outcome)
    throws(OverlayError)
  {
    for family in IPFamily.allCases where node.podFamilies.contains(family) {
      let name = family.forwardingSetting
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
      let setting = try told { () throws(SystemError) in
        try RouterAdvertisements.keepHearing(by: link)
      }
      if let setting { outcome.changes.append("set \(setting) to 2") }
    }
  }
}
