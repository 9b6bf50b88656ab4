public import Netlink

// Reading. "Not there" is an answer here, not an error; it is answered alike when the table, the
// set or the element is missing.

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

  /// The names of all sets and maps of a table; none if there is no such table.
  ///
  /// `NFT_MSG_GETSET`
  public borrowing func setNames(in table: Table) throws(NetlinkError) -> [String] {
    let request = Message(
      nftables: .getSet, family: table.family.number, answer: .listing,
      operation: "list sets of table \(table)"
    ) { $0.text(SetAttribute.table, table.name) }
    return try list(request).compactMap { $0.nftablesAttributes[SetAttribute.name]?.text }
  }

  /// Whether there is a set or map of this name.
  ///
  /// `NFT_MSG_GETSET`
  public borrowing func has(_ set: NamedSet) throws(NetlinkError) -> Bool {
    let request = Message(
      nftables: .getSet, family: set.table.family.number, answer: .reply,
      operation: "look for set \(set.name)"
    ) { writer in
      writer.text(SetAttribute.table, set.table.name)
      writer.text(SetAttribute.name, set.name)
    }
    return try find(request) != nil
  }

  /// The elements with these keys, in order; nil where there is none.
  ///
  /// All are asked for in one send, and each costs the same in sets of any size.
  ///
  /// `NFT_MSG_GETSETELEM`
  public borrowing func elements(_ queries: [ElementQuery]) throws(NetlinkError) -> [Element?] {
    let requests = queries.map { query in
      Message(
        nftables: .getElement, family: query.set.table.family.number, answer: .reply,
        operation: "look for element of \(query.set.name)"
      ) { writer in
        writer.elements(of: query.set) { Element(query.key).write(to: &$0) }
      }
    }
    var found: [Element?] = []
    for answer in try batch(requests) {
      do {
        found.append(try answer.get().first?.elements.first?.element)
      } catch  where error.isNotFound {
        found.append(nil)
      }
    }
    return found
  }

  /// All elements; none if there is no such set.
  ///
  /// Costs as much as there are elements.
  ///
  /// `NFT_MSG_GETSETELEM`
  public borrowing func elements(of set: NamedSet) throws(NetlinkError) -> [Element] {
    let request = Message(
      nftables: .getElement, family: set.table.family.number, answer: .listing,
      operation: "list elements of \(set.name)"
    ) { writer in
      writer.text(ElementListAttribute.table, set.table.name)
      writer.text(ElementListAttribute.set, set.name)
    }
    return ListedElement.elements(of: set, in: try list(request).flatMap(\.elements))
  }

  /// The number that every transaction of anybody raises.
  ///
  /// `NFT_MSG_GETGEN`
  public borrowing func generation() throws(NetlinkError) -> RulesetGeneration {
    let request = Message(
      nftables: .getGeneration, family: 0, answer: .reply,
      operation: NftablesFeature.generationOperation
    ) { _ in }
    let reply = try reply(to: request)
    let number: UInt32? = reply.nftablesAttributes[GenerationAttribute.number]?.bigEndian()
    return RulesetGeneration(number: number ?? 0)
  }
}

/// One element to look for.
public struct ElementQuery: Hashable, Sendable {
  /// Where to look.
  public let set: NamedSet
  /// What to look for.
  public let key: ElementKey

  /// Puts a question.
  public init(_ key: ElementKey, in set: NamedSet) {
    self.set = set
    self.key = key
  }
}

extension NetlinkSocket where Family == NetfilterFamily {
  /// One thing; nil if it is not there.
  private borrowing func find(_ request: Message) throws(NetlinkError) -> Message? {
    do {
      return try reply(to: request)
    } catch  where error.isNotFound {
      return nil
    }
  }

  /// A listing; empty if what is listed is not there.
  private borrowing func list(_ request: Message) throws(NetlinkError) -> [Message] {
    do {
      return try exchange(request)
    } catch  where error.isNotFound {
      return []
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

extension Message {
  /// What follows the netfilter header.
  var nftablesAttributes: AttributeReader {
    attributes(after: Message.netfilterHeaderByteCount)
  }

  /// The elements that a message lists.
  fileprivate var elements: [ListedElement] {
    guard let list = nftablesAttributes[ElementListAttribute.elements] else { return [] }
    return list.attributes.compactMap(ListedElement.init)
  }
}
