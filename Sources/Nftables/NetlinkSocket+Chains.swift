public import Netlink

extension NetlinkSocket where Family == NetfilterFamily {
  /// Whether there is a table of this family and name.
  ///
  /// `NFT_MSG_GETTABLE`
  public borrowing func has(_ table: Table) throws(NetlinkError) -> Bool {
    let request = Message(
      nftables: .getTable, family: table.family.number, answer: .reply,
      operation: "look for table \(table)"
    ) { $0.text(TableAttribute.name, table.name) }
    return try find(request) != nil
  }

  /// One chain; nil if there is none of this name.
  ///
  /// `NFT_MSG_GETCHAIN`
  public borrowing func listedChain(_ chain: Chain) throws(NetlinkError) -> ListedChain? {
    try listedChains([chain])[0]
  }

  /// Several chains, asked for in one send; nil for each that is not there.
  ///
  /// `NFT_MSG_GETCHAIN`
  public borrowing func listedChains(_ chains: [Chain]) throws(NetlinkError) -> [ListedChain?] {
    let requests = chains.map { chain in
      Message(
        nftables: .getChain, family: chain.table.family.number, answer: .reply,
        operation: "look for chain \(chain.name)"
      ) { writer in
        writer.text(ChainAttribute.table, chain.table.name)
        writer.text(ChainAttribute.name, chain.name)
      }
    }
    var found: [ListedChain?] = []
    for (chain, answer) in zip(chains, try batch(requests)) {
      do {
        let uses: UInt32? = try answer.get().first?.nftablesAttributes[ChainAttribute.uses]?
          .bigEndian()
        found.append(ListedChain(name: chain.name, uses: Int(uses ?? 0)))
      } catch  where error.isNotFound {
        found.append(nil)
      }
    }
    return found
  }

  /// All chains with a hook, of everybody and of all families that have words here.
  ///
  /// Costs as much as there are chains.
  ///
  /// `NFT_MSG_GETCHAIN`
  public borrowing func listedBaseChains() throws(NetlinkError) -> [ListedBaseChain] {
    let request = Message(
      nftables: .getChain, family: 0, answer: .listing, operation: "list chains"
    ) { _ in }
    return try list(request).compactMap(ListedBaseChain.init)
  }

  /// All rules of one chain, in order; none if there is no such chain.
  ///
  /// `NFT_MSG_GETRULE`
  public borrowing func listedRules(of chain: Chain) throws(NetlinkError) -> [ListedRule] {
    let request = Message(
      nftables: .getRule, family: chain.table.family.number, answer: .listing,
      operation: "list rules of chain \(chain.name)"
    ) { writer in
      writer.text(RuleAttribute.table, chain.table.name)
      writer.text(RuleAttribute.chain, chain.name)
    }
    return try list(request).compactMap { message in
      let attributes = message.nftablesAttributes
      // Asked again here, since a kernel that ignores the filter would list other chains too.
      guard attributes[RuleAttribute.table]?.text == chain.table.name,
        attributes[RuleAttribute.chain]?.text == chain.name,
        let handle: UInt64 = attributes[RuleAttribute.handle]?.bigEndian()
      else { return nil }
      let comment = attributes[RuleAttribute.userData].flatMap { UserData.comment(in: $0.bytes) }
      let steps = attributes[RuleAttribute.expressions]
      return ListedRule(
        handle: handle, comment: comment, steps: steps.map { Array($0.bytes) } ?? [],
        refusesEverything: steps?.attributes.onlyRefuse ?? false)
    }
  }

  /// The names of all chains of a table; none if there is no such table.
  ///
  /// Costs as much as there are chains of anybody.
  ///
  /// `NFT_MSG_GETCHAIN`
  public borrowing func chainNames(in table: Table) throws(NetlinkError) -> [String] {
    let request = Message(
      nftables: .getChain, family: table.family.number, answer: .listing,
      operation: "list chains of table \(table)"
    ) { _ in }
    return try list(request).compactMap { message in
      let attributes = message.nftablesAttributes
      guard attributes[ChainAttribute.table]?.text == table.name else { return nil }
      return attributes[ChainAttribute.name]?.text
    }
  }
}

extension ListedBaseChain {
  /// Reads a chain of a listing; nil if it has no hook, or one that has no words here.
  fileprivate init?(_ message: Message) {
    let attributes = message.nftablesAttributes
    guard let family = message.payload.first.flatMap(Table.Family.init(number:)),
      let table = attributes[ChainAttribute.table]?.text,
      let name = attributes[ChainAttribute.name]?.text,
      let number: UInt32 = attributes[ChainAttribute.hook]?.attributes[HookAttribute.number]?
        .bigEndian(),
      let place = Hook.Place(number: number)
    else { return nil }
    let policy: UInt32? = attributes[ChainAttribute.policy]?.bigEndian()
    self.init(
      chain: Chain(name, in: Table(family: family, name: table)), place: place,
      dropsAtItsEnd: policy == UInt32(bitPattern: VerdictCode.drop))
  }
}

extension AttributeReader {
  /// Whether the steps that it reads are one that drops or rejects, counters aside.
  fileprivate var onlyRefuse: Bool {
    let steps = filter { $0.attributes[ExpressionAttribute.name]?.text != "counter" }
    guard steps.count == 1, let step = steps.first?.attributes else { return false }
    switch step[ExpressionAttribute.name]?.text {
    case "reject": return true
    case "target":
      return step[ExpressionAttribute.data]?.attributes[TargetNumber.name]?.text == "REJECT"
    case "immediate":
      let verdict = step[ExpressionAttribute.data]?.attributes[ImmediateNumber.data]?
        .attributes[DataAttribute.verdict]?.attributes
      let code: UInt32? = verdict?[DataAttribute.verdictCode]?.bigEndian()
      return code == UInt32(bitPattern: VerdictCode.drop)
    default: return false
    }
  }
}
