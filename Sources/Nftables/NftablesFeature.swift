internal import Linux
public import Netlink

/// A part of the packet filter that kernels may lack.
public enum NftablesFeature: Hashable, Sendable {
  /// All of it.
  case nftables
  /// Tables of a family.
  case family(Table.Family)
  /// Chains that translate addresses.
  case natChains
  /// Replacing the source by that of the link.
  case masquerade
  /// Replacing the destination of packets to the host's own addresses.
  case destinationNAT
}

extension NftablesFeature: CustomStringConvertible {
  /// What it is, and how the kernel's configuration calls it.
  public var description: String {
    switch self {
    case .nftables: "nf_tables (CONFIG_NF_TABLES)"
    case .family(.inet): "nf_tables for IPv4 and IPv6 in one table (CONFIG_NF_TABLES_INET)"
    case .family(.ipv4): "nf_tables for IPv4 (CONFIG_NF_TABLES_IPV4)"
    case .family(.ipv6): "nf_tables for IPv6 (CONFIG_NF_TABLES_IPV6)"
    case .family(.bridge): "nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE)"
    case .natChains: "address translation in nf_tables (CONFIG_NFT_NAT)"
    case .masquerade: "masquerading in nf_tables (CONFIG_NFT_MASQ)"
    case .destinationNAT:
      "port mappings in nf_tables (CONFIG_NFT_NAT, CONFIG_NFT_CT, CONFIG_NFT_FIB_INET)"
    }
  }
}

extension NetlinkError {
  /// What the kernel lacks, if that is why it refused.
  ///
  /// The kernel says "no such file" of a kind of chain or a step of a rule it does not know, just
  /// as of a missing set; which of them it means is told by the command that failed.
  public var missingFeature: NftablesFeature? {
    switch (operation, errno) {
    case (NftablesFeature.generationOperation, .invalid),
      (NftablesFeature.generationOperation, .notSupported):
      .nftables
    case (NftablesFeature.openOperation, _) where cause != .refused && isUnsupportedProtocol:
      .nftables
    case (NftablesFeature.masqueradeOperation, .noEntry):
      .masquerade
    case (NftablesFeature.destinationNATOperation, .noEntry):
      .destinationNAT
    case (NftablesFeature.natChainOperation, .noEntry):
      .natChains
    default:
      NftablesFeature.families.first {
        operation == NftablesFeature.tableOperation($0) && isUnsupported
      }.map { .family($0) }
    }
  }

  private var isUnsupportedProtocol: Bool {
    errno == .protocolNotSupported || errno == .familyNotSupported
  }
}

// The words of operations that can fail for want of a feature, written and read here alone.
extension NftablesFeature {
  static let generationOperation = "look for nf_tables"
  static let openOperation = "open netfilter socket"
  static let masqueradeOperation = "add masquerading rule"
  static let destinationNATOperation = "add rule that maps ports"
  static let natChainOperation = "add chain that translates addresses"

  static let families: [Table.Family] = [.inet, .ipv4, .ipv6, .bridge]

  static func tableOperation(_ family: Table.Family) -> String {
    "add table of family \(family.text)"
  }

  static func tableOperation(_ table: Table) -> String { tableOperation(table.family) }

  static func chainOperation(_ chain: Chain) -> String {
    chain.hook?.kind == .nat ? natChainOperation : "add chain \(chain.name)"
  }

  static func ruleOperation(_ rule: Rule, _ chain: Chain) -> String {
    if rule.expressions.contains(.masquerade) || rule.expressions.contains(.masqueradeFullyRandom) {
      return masqueradeOperation
    }
    let mapsPorts = rule.expressions.contains { step in
      switch step {
      case .translateDestination, .destinationRouteType: true
      default: false
      }
    }
    return mapsPorts ? destinationNATOperation : "add rule to chain \(chain.name)"
  }
}
