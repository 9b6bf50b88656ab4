import Addressing
import CNI
import Digest
import Iptables
import Linux
import Netlink
import Nftables
import Plumbing

/// What upstream's plugin leaves behind when it has mapped ports: recognised and removed.
///
/// Its nftables rules carry the container's name and no network's, so all of a container's go
/// together, and GC, which knows one network only, leaves them. Its iptables rules say both.
enum UpstreamMappings {
  /// Ends the mappings of an attachment.
  ///
  /// - Returns: whether there were any.
  static func remove(of attachment: Attachment) throws(ProtocolError) -> Bool {
    var hasRemoved = false
    var families: [IptablesProgram.Family] = []
    let chains = IptablesMappings.chainNames(attachment)
    try PacketFilter.remove("upstream's tables", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      hasRemoved = try removeRules(of: attachment.container, on: socket)
      families = try IptablesMappings.leftovers.families(withChains: chains, on: socket)
    }
    let hadChains = try IptablesMappings.leftovers.remove(inNftables: families) {
      family throws(SystemError) in
      for chain in chains where try LegacyTables.has(chain: chain, in: "nat", family) {
        return true
      }
      return false
    } rules: {
      $0.target.map(chains.contains) ?? false
    } chains: {
      chains.contains($0)
    }
    return hasRemoved || hadChains
  }

  /// Ends the mappings that iptables makes for all containers of a network but these.
  static func collectGarbage(_ network: NetworkName, keeping valid: Set<ValidAttachment>)
    throws(ProtocolError)
  {
    var families: [IptablesProgram.Family] = []
    try PacketFilter.remove("upstream's tables", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      families = try IptablesMappings.leftovers.families(
        withChains: IptablesMappings.leftovers.entries, on: socket)
    }
    let kept = Set(valid.map { IptablesMappings.comment(network, $0.container) })
    let beginning = IptablesMappings.commentBeginning(network)
    try IptablesMappings.leftovers.remove(inNftables: families) { family throws(SystemError) in
      try LegacyTables.has("nat", family)
    } rules: { rule in
      guard let comment = rule.comment, comment.hasPrefix(beginning) else { return false }
      return !kept.contains(comment)
    } chains: { _ in
      false
    }
  }

  /// Looks whether upstream's nftables rules for a container are there.
  ///
  /// - Returns: false if there are none at all.
  /// - Throws: `ProtocolError` if some are missing.
  static func check(
    _ forwards: [PortForward], _ attachment: Attachment
  ) throws(ProtocolError) -> Bool {
    var missing: String?
    var found = 0
    _ = try PacketFilter.add("failed to look at upstream's port mappings") {
      socket throws(NetlinkError) in
      for table in tables {
        let count = forwards.count { ($0.family == .v4) == (table.family == .ipv4) }
        guard count > 0 else { continue }
        let hostports = Chain("hostports", in: table)
        let rules = try socket.listedRules(of: hostports).count {
          $0.comment == attachment.container.text
        }
        found += rules
        if rules < count, missing == nil {
          missing = "missing hostport rules in \"hostports\" chain of table \(table)"
        }
      }
    }
    guard found > 0 else { return false }
    if let missing {
      throw ProtocolError(.internalFailure, missing, details: "run DEL and ADD again")
    }
    return true
  }

  private static let tables = [
    Table(family: .ipv4, name: "cni_hostport"), Table(family: .ipv6, name: "cni_hostport"),
  ]

  private static func removeRules(
    of container: ContainerID, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    var transaction = Transaction()
    for table in tables {
      for name in ["hostports", "hostip_hostports", "masquerading"] {
        let chain = Chain(name, in: table)
        guard try socket.listedChain(chain) != nil else { continue }
        for rule in try socket.listedRules(of: chain) where rule.comment == container.text {
          transaction.delete(rule, of: chain)
        }
      }
    }
    try socket.commit(transaction)
    return !transaction.isEmpty
  }
}
