internal import CNI
internal import Iptables
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing

/// A chain of somebody else that drops what pods send, whatever our table accepts.
///
/// Every hooked chain must let a packet pass, so nothing that we do in our own table opens another.
/// Neither is it ours to write there unasked. So STATUS says which chain it is and how to open it.
///
/// A chain counts as one that blocks if packets that none of its rules accepts are dropped at its end,
/// by its policy or by its last rule. Whether its rules accept pods' packets cannot be told without
/// knowing these; who has opened such a chain sets `checkForwarding` to false.
struct ForwardBlocker: Hashable, Sendable {
  /// The chain, for people.
  let chain: String
  /// How to open it.
  let remedy: String

  /// All chains that block, but for those that a backend opens.
  static func all(
    besides backend: FirewallBackend
  ) throws(ProtocolError) -> [ForwardBlocker] {
    var blockers: [ForwardBlocker] = []
    let opened = try variants(openedBy: backend)
    try PacketFilter.remove("failed to look at chains of others", in: PacketFilterSession()) {
      socket throws(NetlinkError) in
      for listed in try socket.listedBaseChains() where concernsPods(listed) {
        guard let owner = Owner(listed.chain, opened), !owner.isOpened(by: backend) else {
          continue
        }
        let rules = try socket.listedRules(of: listed.chain)
        if listed.dropsAtItsEnd || rules.last?.refusesEverything == true {
          blockers.append(
            ForwardBlocker(
              chain: "\(listed.chain.name) of table \(listed.chain.table)", remedy: owner.remedy))
        }
      }
    }
    for family in IptablesProgram.Family.allCases where opened[family] != .legacy {
      guard forwards(family), try legacyTableDrops(family) else { continue }
      let name = family == .v4 ? "iptables-legacy" : "ip6tables-legacy"
      blockers.append(
        ForwardBlocker(chain: "FORWARD of table filter (\(name))", remedy: Owner.iptables.remedy))
    }
    return blockers
  }
}

extension ForwardBlocker {
  /// Whose a chain is, as far as its remedy is concerned.
  private enum Owner {
    case iptables, firewalld, somebody

    /// Nil for our own chains, and for those of iptables that the backend opens.
    init?(
      _ chain: Chain, _ opened: [IptablesProgram.Family: IptablesProgram.Variant]
    ) {
      let table = chain.table
      switch (table.family, table.name) {
      case (Table.ours.family, Table.ours.name), (.bridge, _):
        return nil
      case (.ipv4, "filter") where opened[.v4] == .nft: return nil
      case (.ipv6, "filter") where opened[.v6] == .nft: return nil
      case (.ipv4, "filter"), (.ipv6, "filter"): self = .iptables
      case (_, "firewalld"): self = .firewalld
      default: self = .somebody
      }
    }

    func isOpened(by backend: FirewallBackend) -> Bool {
      guard case (.firewalld, .firewalld) = (self, backend) else { return false }
      return true
    }

    var remedy: String {
      switch self {
      case .iptables:
        "set \"backend\": \"iptables\", or accept packets from and to pods there and set "
          + "\"checkForwarding\": false"
      case .firewalld:
        "set \"backend\": \"firewalld\", or put the pods' subnets into zone trusted "
          + "(firewall-cmd --permanent --zone=trusted --add-source=SUBNET) and set "
          + "\"checkForwarding\": false"
      case .somebody:
        "accept packets from and to pods there and set \"checkForwarding\": false"
      }
    }
  }

  /// Whether pods' packets pass a chain.
  private static func concernsPods(_ listed: ListedBaseChain) -> Bool {
    guard listed.place == .forward else { return false }
    // Chains for IPv6 alone wait for a host that forwards it, which the first pod with IPv6 makes it.
    return listed.chain.table.family != .ipv6 || forwards(.v6)
  }

  private static func forwards(_ family: IptablesProgram.Family) -> Bool {
    guard family == .v6 else { return true }
    do {
      return try Sysctl.read(["net", "ipv6", "conf", "all", "forwarding"]) == "1"
    } catch {
      // A host without IPv6.
      return false
    }
  }

  /// Where the rules of a backend stand, for each family.
  private static func variants(
    openedBy backend: FirewallBackend
  ) throws(ProtocolError) -> [IptablesProgram.Family: IptablesProgram.Variant] {
    guard backend == .iptables else { return [:] }
    var variants: [IptablesProgram.Family: IptablesProgram.Variant] = [:]
    do {
      for family in IptablesProgram.Family.allCases {
        variants[family] = try IptablesProgram.usual(family)?.variant
      }
    } catch {
      throw ProtocolError(.internalFailure, "\(error)")
    }
    return variants
  }

  private static func legacyTableDrops(
    _ family: IptablesProgram.Family
  ) throws(ProtocolError) -> Bool {
    do {
      return try LegacyTables.dropsForwarded(family)
    } catch {
      throw ProtocolError(error)
    }
  }
}
