internal import Netlink

extension Element {
  /// Writes the element as a list of elements carries it. `NFTA_LIST_ELEM`
  func write(to writer: inout AttributeWriter) {
    writer.nest(NetfilterNumber.listElement) { inner in
      inner.value(ElementAttribute.key, key.bytes)
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

  /// Reads an element of a list; nil if it has no key, as the element that catches all has none.
  init?(_ attribute: Attribute) {
    var key: ElementKey?
    var value: Value?
    var comment: String?
    for part in attribute.attributes {
      switch part.type {
      case ElementAttribute.key:
        key = part.attributes[DataAttribute.value].map { ElementKey(bytes: Array($0.bytes)) }
      case ElementAttribute.data:
        value = Value(part)
      case ElementAttribute.userData:
        comment = UserData.comment(in: part.bytes)
      default:
        break
      }
    }
    guard let key else { return nil }
    self.init(key, value: value, comment: comment)
  }
}

extension Element.Value {
  /// Reads what `enum nft_data_attributes` wraps.
  fileprivate init?(_ attribute: Attribute) {
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

extension AttributeWriter {
  /// Writes which set is meant, and a list of its elements.
  mutating func elements(of set: NamedSet, _ body: (inout AttributeWriter) -> Void) {
    text(ElementListAttribute.table, set.table.name)
    text(ElementListAttribute.set, set.name)
    nest(ElementListAttribute.elements, body)
  }
}
