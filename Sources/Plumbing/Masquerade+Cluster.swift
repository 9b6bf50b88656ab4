public import Addressing
public import CNI
internal import Netlink
internal import Nftables
internal import NodeFiles

extension Masquerade {
  /// Leaves alone what pods of a cluster say to each other, whichever node they are on, and what they
  /// say to nodes by its tunnels.
  ///
  /// `cnictl node apply` says so for the ranges of the flat network. A pod costs nothing more, and a
  /// new connection of one two comparisons for each pair of ranges.
  ///
  /// - Parameters:
  ///   - ranges: the cluster's ranges; none ends it.
  ///   - tunnels: the links that lead to its other nodes alone.
  /// - Returns: whether anything had to be changed.
  /// - Throws: `ProtocolError`; it names what the kernel lacks, if that is why.
  public static func spare(
    _ ranges: [Subnet], by tunnels: [InterfaceName] = []
  ) throws(ProtocolError) -> Bool {
    try PacketFilter.add("failed to spare the cluster from masquerading") {
      socket throws(NetlinkError) in
      let rules = MasqueradeLayout.clusterRules(ranges, tunnels)
      let present = try socket.listedRules(of: MasqueradeLayout.withinCluster).map(\.comment)
      guard present != rules.map(\.comment) else { return false }
      var transaction = Transaction()
      MasqueradeLayout.spare(rules, in: &transaction)
      try socket.commit(transaction)
      return true
    }
  }
}

extension MasqueradeLayout {
  /// Where packets between pods of a cluster end.
  static let withinCluster = Chain("within_cluster", in: .ours)

  /// The rules for a cluster of these ranges and tunnels.
  ///
  /// The source is looked at too: pods of another network of this host are not known elsewhere.
  static func clusterRules(_ ranges: [Subnet], _ tunnels: [InterfaceName]) -> [Rule] {
    let inside = ranges.flatMap { source in
      ranges.filter { $0.family == source.family }.map { destination in
        Rule(
          [.family(source.family), .source(isIn: source), .destination(isIn: destination)],
          .verdict(.accept), comment: "\(source) to \(destination): one cluster")
      }
    }
    let toNodes = ranges.flatMap { source in
      tunnels.map { tunnel in
        Rule(
          [.family(source.family), .source(isIn: source), .outputName(is: tunnel)],
          .verdict(.accept), comment: "\(source) by \(tunnel): one cluster")
      }
    }
    return inside + toNodes
  }

  /// Puts these rules in the place of others.
  static func spare(_ rules: [Rule], in transaction: inout Transaction) {
    transaction.add(.ours)
    transaction.add(withinCluster)
    transaction.flush(withinCluster)
    for rule in rules { transaction.append(rule, to: withinCluster) }
  }

  /// The rules for this node's cluster, if it is in one; for a table that is made anew.
  static func clusterRulesOfNode() -> [Rule] {
    do throws(NodeFileError) {
      let node = try NodeSubnets(reading: NodeSubnets.path)
      return clusterRules(node?.cluster ?? [], node?.devices ?? [])
    } catch {
      // The next apply writes file and rules anew.
      return []
    }
  }
}
