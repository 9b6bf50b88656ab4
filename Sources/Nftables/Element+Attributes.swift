internal import Netlink

extension Element {
  /// Writes the element as a list of elements carries it. `NFTA_LIST_ELEM`
  func write(to writer: inout AttributeWriter) {
    writer.nest(NetfilterNumber.listElement) { inner in
      inner.value(ElementAttribute.key, key.bytes)
      if let last {
        inner.value(ElementAttribute.keyEnd, last.bytes)
      }
      switch value {
      case .verdict(let verdict):
        inner.nest(ElementAttribute.data) { $0.verdict(verdict) }
      case .data(let data):
        inner.value(ElementAttribute.data, data.bytes)
      case nil:
        break
      }
      if let comment {
        inner.bytes(ElementAttribute.userData, UserData.comment(comment))
      }
    }
  }

  /// Writes a range as two elements, the second of which is the first key that lies outside.
  ///
  /// This is how sets are told of ranges whose keys have one part.
  func writeBounds(to writer: inout AttributeWriter) {
    Element(key).write(to: &writer)
    guard let behind = (last ?? key).next else { return }
    writer.nest(NetfilterNumber.listElement) { inner in
      inner.value(ElementAttribute.key, behind.bytes)
      inner.bigEndian(ElementAttribute.flags, ElementAttribute.rangeEnd)
    }
  }
}

/// An element of a list as it was read: in sets with ranges, perhaps only the end of one.
struct ListedElement {
  let element: Element
  /// It is the first key behind a range.
  let isBehindRange: Bool

  /// Reads an element of a list; nil if it has no key, as the element that catches all has none.
  init?(_ attribute: Attribute) {
    var key: ElementKey?
    var last: ElementKey?
    var value: Element.Value?
    var comment: String?
    var flags: UInt32 = 0
    for part in attribute.attributes {
      switch part.type {
      case ElementAttribute.key: key = part.elementKey
      case ElementAttribute.keyEnd: last = part.elementKey
      case ElementAttribute.data: value = Element.Value(part)
      case ElementAttribute.flags: flags = part.bigEndian() ?? 0
      case ElementAttribute.userData: comment = UserData.comment(in: part.bytes)
      default: break
      }
    }
    guard let key else { return nil }
    if let last, last != key {
      element = Element(from: key, through: last)
    } else {
      element = Element(key, value: value, comment: comment)
    }
    isBehindRange = flags & ElementAttribute.rangeEnd != 0
  }
}

extension ListedElement {
  /// The elements of a set, ranges of one part put together again.
  static func elements(of set: NamedSet, in listing: [ListedElement]) -> [Element] {
    guard set.kind == .ranges, set.key.count == 1 else { return listing.map(\.element) }
    let ordered = listing.sorted {
      $0.element.key.bytes.lexicographicallyPrecedes($1.element.key.bytes)
    }
    var ranges: [Element] = []
    for (index, listed) in ordered.enumerated() where !listed.isBehindRange {
      let key = listed.element.key
      let behind = index + 1 < ordered.count ? ordered[index + 1].element.key : nil
      let last = behind?.previous ?? ElementKey(bytes: key.bytes.map { _ in .max })
      ranges.append(Element(from: key, through: last))
    }
    return ranges
  }
}

extension Element.Value {
  /// Reads what `enum nft_data_attributes` wraps.
  init?(_ attribute: Attribute) {
    if let bytes = attribute.attributes[DataAttribute.value]?.bytes {
      self = .data(ElementKey(bytes: Array(bytes)))
      return
    }
    guard let parts = attribute.attributes[DataAttribute.verdict]?.attributes,
      let code: UInt32 = parts[DataAttribute.verdictCode]?.bigEndian(),
      let verdict = Verdict(
        code: Int32(bitPattern: code), chain: parts[DataAttribute.verdictChain]?.text)
    else { return nil }
    self = .verdict(verdict)
  }
}

extension Attribute {
  /// The bytes of a key.
  var elementKey: ElementKey? {
    attributes[DataAttribute.value].map { ElementKey(bytes: Array($0.bytes)) }
  }
}

extension AttributeWriter {
  /// Writes which set is meant, and a list of its elements.
  mutating func elements(of set: NamedSet, _ body: (inout AttributeWriter) -> Void) {
    text(ElementListAttribute.table, set.table.name)
    text(ElementListAttribute.set, set.name)
    nest(ElementListAttribute.elements, body)
  }
}
