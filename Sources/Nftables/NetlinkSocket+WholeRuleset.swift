internal import Linux
public import Netlink

extension NetlinkSocket where Family == NetfilterFamily {
  /// Reads all that stands in the namespace, in one state of it.
  ///
  /// Costs as much as there are rules and elements; for people who wait, not for an ADD. Tables that
  /// sleep are left out, and those that see neither IP packets nor frames of bridges.
  ///
  /// `NFT_MSG_GETTABLE`, `NFT_MSG_GETCHAIN`, `NFT_MSG_GETRULE`, `NFT_MSG_GETSET`,
  /// `NFT_MSG_GETSETELEM`
  ///
  /// - Throws: ``NetlinkError``; with cause `interrupted` if somebody always changed something.
  public borrowing func ruleset() throws(NetlinkError) -> Ruleset {
    for _ in 0..<16 {
      let before = try generation()
      let ruleset = try readRuleset()
      if try generation() == before { return ruleset }
    }
    throw NetlinkError(operation: "list ruleset", errno: .tryAgain, cause: .interrupted)
  }

  private borrowing func readRuleset() throws(NetlinkError) -> Ruleset {
    let sleeping = try listAll(.getTable, "tables").compactMap { message -> Table? in
      let attributes = message.nftablesAttributes
      let flags: UInt32 = attributes[RulesetAttribute.tableFlags]?.bigEndian() ?? 0
      guard flags & RulesetAttribute.dormant != 0 else { return nil }
      return message.table(attributes[TableAttribute.name])
    }
    var ruleset = Ruleset()
    ruleset.chains = try listAll(.getChain, "chains").compactMap { Ruleset.Chain($0) }
      .filter { !sleeping.contains($0.table) }
    var places: [Table: [String: Int]] = [:]
    for (place, chain) in ruleset.chains.enumerated() {
      places[chain.table, default: [:]][chain.name] = place
    }
    for message in try listAll(.getRule, "rules") {
      let attributes = message.nftablesAttributes
      guard let table = message.table(attributes[RuleAttribute.table]),
        let name = attributes[RuleAttribute.chain]?.text, let place = places[table]?[name]
      else { continue }
      ruleset.chains[place].rules.append(Ruleset.Rule(attributes))
    }
    ruleset.sets = try listAll(.getSet, "sets").compactMap { Ruleset.Set($0) }
      .filter { !sleeping.contains($0.table) }
    for place in ruleset.sets.indices {
      try readElements(of: &ruleset.sets[place])
    }
    return ruleset
  }

  private borrowing func listAll(
    _ command: NftablesCommand, _ what: String
  ) throws(NetlinkError) -> [Message] {
    try exchange(
      Message(nftables: command, family: 0, answer: .listing, operation: "list \(what)") { _ in })
  }

  private borrowing func readElements(of set: inout Ruleset.Set) throws(NetlinkError) {
    let (table, name) = (set.table, set.name)
    let request = Message(
      nftables: .getElement, family: table.family.number, answer: .listing,
      operation: "list elements of \(name)"
    ) { writer in
      writer.text(ElementListAttribute.table, table.name)
      writer.text(ElementListAttribute.set, name)
    }
    do {
      set.elements = try exchange(request).flatMap { message in
        message.nftablesAttributes[ElementListAttribute.elements]?.attributes
          .map { Ruleset.Element($0) } ?? []
      }
    } catch  where error.isNotFound {
      // It has just gone; the generation will tell.
    }
  }
}

extension Message {
  /// The table that an attribute names; nil of a family that this module has no word for.
  fileprivate func table(_ name: Attribute?) -> Table? {
    guard let name, let family = payload.first.flatMap(Table.Family.init(number:)) else {
      return nil
    }
    return Table(family: family, name: name.text)
  }
}

extension Ruleset.Chain {
  fileprivate init?(_ message: Message) {
    let attributes = message.nftablesAttributes
    guard let table = message.table(attributes[ChainAttribute.table]),
      let name = attributes[ChainAttribute.name]?.text
    else { return nil }
    let policy: UInt32? = attributes[ChainAttribute.policy]?.bigEndian()
    self.init(
      name, in: table,
      hook: attributes[ChainAttribute.hook].map {
        Ruleset.Hook($0.attributes, kind: attributes[ChainAttribute.type]?.text ?? "filter")
      },
      dropsAtItsEnd: policy == UInt32(bitPattern: VerdictCode.drop))
  }
}

extension Ruleset.Hook {
  fileprivate init(_ attributes: AttributeReader, kind: String) {
    let number: UInt32? = attributes[HookAttribute.number]?.bigEndian()
    let priority: UInt32? = attributes[HookAttribute.priority]?.bigEndian()
    let single = attributes[RulesetAttribute.hookDevice].map { [$0.text] } ?? []
    let several = attributes[RulesetAttribute.hookDevices]?.attributes.map(\.text) ?? []
    self.init(
      number.flatMap(Nftables.Hook.Place.init(number:)), kind: kind,
      priority: Int32(bitPattern: priority ?? 0), devices: several.isEmpty ? single : several)
  }
}

extension Ruleset.Rule {
  fileprivate init(_ attributes: AttributeReader) {
    self.init(
      attributes[RuleAttribute.expressions]?.attributes.map { RuleStep($0) } ?? [],
      handle: attributes[RuleAttribute.handle]?.bigEndian() ?? 0,
      comment: attributes[RuleAttribute.userData].flatMap { UserData.comment(in: $0.bytes) })
  }
}

extension Ruleset.Set {
  fileprivate init?(_ message: Message) {
    let attributes = message.nftablesAttributes
    guard let table = message.table(attributes[SetAttribute.table]),
      let name = attributes[SetAttribute.name]?.text
    else { return nil }
    let flags: UInt32 = attributes[SetAttribute.flags]?.bigEndian() ?? 0
    let fields = attributes[SetAttribute.description]?.attributes[SetAttribute.fields]
    self.init(
      name, in: table, hasRanges: flags & SetAttribute.rangesFlag != 0,
      partLengths: fields?.attributes.compactMap { field in
        let length: UInt32? = field.attributes[SetAttribute.fieldLength]?.bigEndian()
        return length.map { Int($0) }
      } ?? [])
  }
}

extension Ruleset.Element {
  fileprivate init(_ attribute: Attribute) {
    let parts = attribute.attributes
    let flags: UInt32 = parts[ElementAttribute.flags]?.bigEndian() ?? 0
    self.init(
      parts[ElementAttribute.key]?.elementKey?.bytes,
      through: parts[ElementAttribute.keyEnd]?.elementKey?.bytes,
      isBehindRange: flags & ElementAttribute.rangeEnd != 0,
      value: parts[ElementAttribute.data].flatMap(Element.Value.init),
      comment: parts[ElementAttribute.userData].flatMap { UserData.comment(in: $0.bytes) })
  }
}
