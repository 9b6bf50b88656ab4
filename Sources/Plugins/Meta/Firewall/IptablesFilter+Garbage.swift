internal import Addressing
internal import CNI
internal import Iptables
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink

extension IptablesFilter {
  /// Removes the rules that keep bridges apart which are there no more.
  ///
  /// Upstream never removes them. Whose such a bridge was is not said beside them; its rules touch no
  /// packet, and come back with the next pod of a bridge of that name.
  ///
  /// - Throws: `ProtocolError` if some may still be there.
  static func collectGarbage() throws(ProtocolError) {
    let bridges = try HostAndContainer.hostSocket()
    let leftovers = IptablesLeftovers(in: table, entries: [])
    var inNftables: [IptablesProgram.Family] = []
    try PacketFilter.remove("failed to look for chain \(firstStage)", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      inNftables = try leftovers.families(withChains: [firstStage], on: socket)
    }
    for family in IptablesProgram.Family.allCases {
      if inNftables.contains(family) {
        try removeRules(family, .nft, unlessIn: bridges)
      }
      let isInLegacyTable: Bool
      do {
        isInLegacyTable = try LegacyTables.has(chain: firstStage, in: table, family)
      } catch {
        throw ProtocolError(error)
      }
      if isInLegacyTable {
        try removeRules(family, .legacy, unlessIn: bridges)
      }
    }
  }

  private static func removeRules(
    _ family: IptablesProgram.Family, _ variant: IptablesProgram.Variant,
    unlessIn bridges: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    var rules: [IptablesRule] = []
    try told { () throws(IptablesError) in
      rules = try IptablesProgram.find(family, variant)?.rules(of: table) ?? []
    }
    var gone: [IptablesRule] = []
    for rule in rules
    where [firstStage, secondStage].contains(rule.chain)
      && rule.comment?.hasPrefix(ingressSign) == true
    {
      guard let link = rule.link, try !isThere(link, bridges) else { continue }
      gone.append(rule)
    }
    guard !gone.isEmpty else { return }
    try told { () throws(IptablesError) in
      try IptablesProgram.find(family, variant)?.change(table, gone.map(IptablesChange.delete))
    }
  }

  private static func isThere(
    _ name: String, _ socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) -> Bool {
    let link: InterfaceName
    do {
      link = try InterfaceName(name)
    } catch {
      // No name of a link, and so a rule of somebody's own making.
      return true
    }
    do {
      return try socket.findIndex(named: link) != nil
    } catch {
      throw ProtocolError(error)
    }
  }
}
