internal import Netlink

// Sets, maps and their elements.

extension Transaction {
  /// Makes a set unless it is there.
  ///
  /// `NFT_MSG_NEWSET`
  public mutating func add(_ set: NamedSet) {
    add(set, flags: set.flags, value: nil) { _ in }
  }

  /// Makes a map unless it is there.
  ///
  /// `NFT_MSG_NEWSET` with `NFT_SET_MAP`
  public mutating func add(_ map: NamedMap) {
    add(map.set, flags: map.set.flags | SetAttribute.mapFlag, value: map.value) { writer in
      if let value = map.value {
        writer.bigEndian(SetAttribute.dataType, value.typeNumber)
        writer.bigEndian(SetAttribute.dataLength, UInt32(value.byteCount))
      } else {
        writer.bigEndian(SetAttribute.dataType, SetAttribute.verdictType)
      }
    }
  }

  private mutating func add(
    _ set: NamedSet, flags: UInt32, value: [DataType]?, _ body: (inout AttributeWriter) -> Void
  ) {
    let identifier = nextSetIdentifier()
    request(.newSet, set.table, [.create], "add set \(set.name)") { writer in
      writer.text(SetAttribute.table, set.table.name)
      writer.text(SetAttribute.name, set.name)
      writer.bigEndian(SetAttribute.flags, flags)
      writer.bigEndian(SetAttribute.keyType, set.key.typeNumber)
      writer.bigEndian(SetAttribute.keyLength, UInt32(set.key.byteCount))
      body(&writer)
      set.writeDescription(to: &writer)
      writer.bigEndian(SetAttribute.identifier, identifier)
      let orders = UserData.byteOrders(key: set.key, value: value)
      if !orders.isEmpty {
        writer.bytes(SetAttribute.userData, orders)
      }
    }
  }

  /// Deletes a set with all that is in it; no rule may look into it any more.
  ///
  /// `NFT_MSG_DELSET`
  public mutating func delete(_ set: NamedSet) {
    request(.deleteSet, set.table, [], "delete set \(set.name)") { writer in
      writer.text(SetAttribute.table, set.table.name)
      writer.text(SetAttribute.name, set.name)
    }
  }

  /// Adds an element to a set or, with a value, to a map.
  ///
  /// An element that is there keeps its comment.
  ///
  /// `NFT_MSG_NEWSETELEM`
  public mutating func add(_ element: Element, to set: NamedSet, ifThere presence: Presence) {
    request(.newElement, set.table, presence.flags, "add element to \(set.name)") { writer in
      writer.elements(of: set) { element.write(to: &$0) }
    }
  }

  /// Adds elements to a set or, with values, to a map; those of a set with ranges are ranges.
  ///
  /// They go in as few messages as can be, which for many is several times faster than one by one.
  ///
  /// `NFT_MSG_NEWSETELEM`
  public mutating func add(
    _ elements: [Element], to set: NamedSet, ifThere presence: Presence
  ) {
    let splitsRanges = set.kind == .ranges && set.key.count == 1
    forEachPart(elements) { part, command in
      command.request(.newElement, set.table, presence.flags, "add elements to \(set.name)") {
        writer in
        writer.elements(of: set) { list in
          for element in part {
            if splitsRanges { element.writeBounds(to: &list) } else { element.write(to: &list) }
          }
        }
      }
    }
  }

  /// Deletes elements, all of which must be there.
  ///
  /// `NFT_MSG_DELSETELEM`
  public mutating func delete(_ elements: [Element], from set: NamedSet) {
    forEachPart(elements) { part, command in
      command.request(.deleteElement, set.table, [], "delete elements of \(set.name)") { writer in
        writer.elements(of: set) { list in
          for element in part { element.withoutValue.write(to: &list) }
        }
      }
    }
  }

  /// Deletes all elements of a set; it is fine if there are none.
  ///
  /// `NFT_MSG_DELSETELEM` without elements
  public mutating func flush(_ set: NamedSet) {
    request(.deleteElement, set.table, [], "flush set \(set.name)") { writer in
      writer.text(ElementListAttribute.table, set.table.name)
      writer.text(ElementListAttribute.set, set.name)
    }
  }

  /// Hands out as many at a time as fit into one list, whose length has sixteen bits.
  ///
  /// The longest element is an IPv6 key of ten registers, twice, with a comment.
  private mutating func forEachPart<Item>(
    _ items: [Item], _ body: (ArraySlice<Item>, inout Transaction) -> Void
  ) {
    var rest = items[...]
    while !rest.isEmpty {
      body(rest.prefix(250), &self)
      rest = rest.dropFirst(250)
    }
  }

  /// Deletes an element, which must be there.
  ///
  /// `NFT_MSG_DELSETELEM`
  public mutating func delete(_ key: ElementKey, from set: NamedSet) {
    request(.deleteElement, set.table, [], "delete element of \(set.name)") { writer in
      writer.elements(of: set) { Element(key).write(to: &$0) }
    }
  }
}

extension NamedSet {
  /// The kernel's bits for its kind.
  fileprivate var flags: UInt32 {
    switch kind {
    case .keys: 0
    case .ranges: SetAttribute.rangesFlag | (key.count > 1 ? SetAttribute.concatenationFlag : 0)
    case .timed: SetAttribute.timedFlag | SetAttribute.dynamicFlag
    }
  }

  /// Writes what the kernel must know to store elements of its kind. `NFTA_SET_DESC`
  fileprivate func writeDescription(to writer: inout AttributeWriter) {
    switch kind {
    case .timed(let limit):
      writer.nest(SetAttribute.description) { $0.bigEndian(SetAttribute.size, limit) }
    case .ranges where key.count > 1:
      writer.nest(SetAttribute.description) { description in
        description.nest(SetAttribute.fields) { fields in
          for part in key {
            fields.nest(NetfilterNumber.listElement) {
              $0.bigEndian(SetAttribute.fieldLength, UInt32(part.byteCount))
            }
          }
        }
      }
    case .keys, .ranges: break
    }
  }
}
