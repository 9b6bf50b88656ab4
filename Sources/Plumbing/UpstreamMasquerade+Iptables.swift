internal import Addressing
internal import CNI
internal import Digest
internal import Iptables
internal import Linux
internal import Netlink
internal import Nftables

// Upstream's other backend makes a chain for each container, and a rule that leads there for each
// address. The programs are asked only where the kernel says that there is something: starting one
// costs more than a whole DEL.

extension UpstreamMasquerade {
  /// Where upstream's rules stand.
  private static let leftovers = IptablesLeftovers(in: "nat", entries: ["POSTROUTING"])

  /// The chain of a container on a network; the interface has no part in it, so two interfaces of
  /// one container on one network share it and lose it together.
  static func chainName(_ attachment: Attachment) -> String {
    "CNI-"
      + SHA512.hex("\(attachment.network.text)\(attachment.container.text)", prefix: 24)
  }

  /// The families whose tables in nf_tables hold a chain of this name: a question for each.
  static func families(
    withChain name: String, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [IptablesProgram.Family] {
    try leftovers.families(withChains: [name], on: socket)
  }

  /// Whether the chain of an attachment masquerades, and all of these addresses lead there.
  ///
  /// - Parameters:
  ///   - attachment: whose chain it is.
  ///   - addresses: the pod's.
  ///   - inNftables: the families whose tables in nf_tables hold it.
  /// - Returns: whether they are hidden.
  /// - Throws: `ProtocolError` if the rules cannot be read.
  static func hasChain(
    of attachment: Attachment, for addresses: [InterfaceAddress],
    inNftables: [IptablesProgram.Family]
  ) throws(ProtocolError) -> Bool {
    let name = chainName(attachment)
    let rules = try leftovers.listing(inNftables: inNftables) { family throws(SystemError) in
      try LegacyTables.has(chain: name, in: leftovers.table, family)
    }
    return addresses.allSatisfy { address in
      let source = "\(Subnet(containing: address.address, prefix: .host(address.family)))"
      return rules.contains { rule in
        leftovers.entries.contains(rule.chain) && rule.target == name && rule.source == source
      }
    } && rules.contains { $0.chain == name && $0.target == "MASQUERADE" }
  }

  /// Removes the chain of an attachment, and what leads there, from iptables.
  ///
  /// - Parameters:
  ///   - attachment: whose chain it is.
  ///   - inNftables: the families whose tables in nf_tables hold it.
  /// - Throws: `ProtocolError` if something may still be there.
  static func removeChain(of attachment: Attachment, inNftables: [IptablesProgram.Family])
    throws(ProtocolError)
  {
    let name = chainName(attachment)
    try leftovers.remove(inNftables: inNftables) { family throws(SystemError) in
      try LegacyTables.has(chain: name, in: leftovers.table, family)
    } rules: {
      $0.target == name
    } chains: {
      $0 == name
    }
  }

  /// Removes the chains of all containers of a network but these.
  ///
  /// - Parameters:
  ///   - network: the network, as the rules' comments tell it.
  ///   - containers: what is kept.
  ///   - inNftables: the families whose tables in nf_tables may hold such chains.
  /// - Throws: `ProtocolError` if something may still be there.
  static func removeChains(
    of network: NetworkName, keeping containers: Set<ContainerID>,
    inNftables: [IptablesProgram.Family]
  ) throws(ProtocolError) {
    let kept = Set(containers.map { comment(network, $0.text) })
    let beginning = "name: \"\(network.text)\" id: \""
    try leftovers.remove(inNftables: inNftables) { family throws(SystemError) in
      try LegacyTables.has(leftovers.table, family)
    } rules: { rule in
      guard let comment = rule.comment, rule.target?.hasPrefix("CNI-") == true else { return false }
      return comment.hasPrefix(beginning) && !kept.contains(comment)
    } chains: { _ in
      false
    }
  }

  private static func comment(_ network: NetworkName, _ container: String) -> String {
    "name: \"\(network.text)\" id: \"\(container)\""
  }
}
