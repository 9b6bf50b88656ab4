public import CNI
public import Iptables
public import Linux
public import Netlink
public import Nftables

/// Chains that plugins have made in iptables, found and removed.
///
/// The programs are asked only where the kernel says that there is something: starting one costs
/// more than a whole DEL.
public struct IptablesLeftovers: Sendable {
  /// The table in which the chains stand.
  public let table: String
  /// The chains whose rules lead there.
  public let entries: [String]

  /// Says where to look.
  public init(in table: String, entries: [String]) {
    self.table = table
    self.entries = entries
  }

  /// The families whose tables in nf_tables hold a chain of one of these names: a question for each.
  public func families(
    withChains names: [String], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [IptablesProgram.Family] {
    var families: [IptablesProgram.Family] = []
    for family in IptablesProgram.Family.allCases {
      let table = Table(family: family == .v4 ? .ipv4 : .ipv6, name: table)
      for name in names where try socket.listedChain(Chain(name, in: table)) != nil {
        families.append(family)
        break
      }
    }
    return families
  }

  /// Removes chains that are wanted, or that wanted rules lead to, and all rules that lead there.
  ///
  /// - Parameters:
  ///   - inNftables: the families whose tables in nf_tables may hold some.
  ///   - inLegacyTables: whether the kernel's legacy tables of a family may hold some.
  ///   - isWanted: whether a rule of the entries goes, and the chain that it leads to.
  ///   - isWantedChain: whether a chain goes, also if no rule leads there.
  /// - Returns: whether anything was there.
  /// - Throws: `ProtocolError` if something may still be there.
  @discardableResult
  public func remove(
    inNftables: [IptablesProgram.Family],
    inLegacyTables: (IptablesProgram.Family) throws(SystemError) -> Bool,
    rules isWanted: (IptablesRule) -> Bool, chains isWantedChain: (String) -> Bool
  ) throws(ProtocolError) -> Bool {
    var hasRemoved = false
    for program in try programs(inNftables: inNftables, inLegacyTables: inLegacyTables) {
      do {
        let changes = removal(from: try program.rules(of: table), isWanted, isWantedChain)
        guard !changes.isEmpty else { continue }
        try program.change(table, changes)
        hasRemoved = true
      } catch {
        throw ProtocolError(.internalFailure, "\(error)")
      }
    }
    return hasRemoved
  }

  /// Reads the table, and changes nothing.
  ///
  /// - Returns: its chains and rules, of each family and kind of iptables that may hold some.
  /// - Throws: `ProtocolError` if a table cannot be read.
  func listing(
    inNftables: [IptablesProgram.Family],
    inLegacyTables: (IptablesProgram.Family) throws(SystemError) -> Bool
  ) throws(ProtocolError) -> [IptablesRule] {
    var listing: [IptablesRule] = []
    for program in try programs(inNftables: inNftables, inLegacyTables: inLegacyTables) {
      do {
        listing += try program.rules(of: table)
      } catch {
        throw ProtocolError(.internalFailure, "\(error)")
      }
    }
    return listing
  }

  /// The programs for the tables that may hold such chains, as far as they are installed.
  private func programs(
    inNftables: [IptablesProgram.Family],
    inLegacyTables: (IptablesProgram.Family) throws(SystemError) -> Bool
  ) throws(ProtocolError) -> [IptablesProgram] {
    var programs: [IptablesProgram] = []
    for family in IptablesProgram.Family.allCases {
      var variants: [IptablesProgram.Variant] = inNftables.contains(family) ? [.nft] : []
      do {
        if try inLegacyTables(family) {
          variants.append(.legacy)
        }
      } catch {
        throw ProtocolError(error)
      }
      do {
        for variant in variants {
          if let program = try IptablesProgram.find(family, variant) { programs.append(program) }
        }
      } catch {
        throw ProtocolError(.internalFailure, "\(error)")
      }
    }
    return programs
  }

  private func removal(
    from listing: [IptablesRule], _ isWanted: (IptablesRule) -> Bool,
    _ isWantedChain: (String) -> Bool
  ) -> [IptablesChange] {
    let rules = listing.filter {
      $0.kind == .rule && entries.contains($0.chain) && isWanted($0)
    }
    let names = Set(rules.compactMap(\.target))
    let chains = listing.filter {
      $0.kind == .chain && (names.contains($0.chain) || isWantedChain($0.chain))
    }
    return rules.map(IptablesChange.delete) + chains.flatMap(IptablesChange.deleteChain)
  }
}
