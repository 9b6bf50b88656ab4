public import Netlink

extension NetlinkSocket where Family == NetfilterFamily {
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

extension Message {
  /// The elements that a message lists.
  fileprivate var elements: [ListedElement] {
    guard let list = nftablesAttributes[ElementListAttribute.elements] else { return [] }
    return list.attributes.compactMap(ListedElement.init)
  }
}
