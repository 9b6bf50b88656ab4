internal import Netlink

extension Expression {
  /// Writes the expression as a rule carries it. `NFTA_LIST_ELEM`
  func write(to writer: inout AttributeWriter) {
    writer.nest(NetfilterNumber.listElement) { element in
      element.text(ExpressionAttribute.name, kernelName)
      element.nest(ExpressionAttribute.data) { writeData(to: &$0) }
    }
  }

  /// The name by which the kernel finds the expression's code.
  var kernelName: String {
    switch self {
    case .payload: "payload"
    case .meta: "meta"
    case .masked: "bitwise"
    case .compare: "cmp"
    case .lookup, .verdictLookup: "lookup"
    case .verdict: "immediate"
    case .masquerade: "masq"
    }
  }

  private func writeData(to data: inout AttributeWriter) {
    switch self {
    case .payload(let header, let offset, let length, let register):
      data.bigEndian(PayloadNumber.target, register.number)
      data.bigEndian(PayloadNumber.base, header.number)
      data.bigEndian(PayloadNumber.offset, UInt32(offset))
      data.bigEndian(PayloadNumber.length, UInt32(length))
    case .meta(let key, let register):
      data.bigEndian(MetaNumber.key, key.number)
      data.bigEndian(MetaNumber.target, register.number)
    case .masked(let register, let mask):
      data.bigEndian(BitwiseNumber.source, register.number)
      data.bigEndian(BitwiseNumber.target, register.number)
      data.bigEndian(BitwiseNumber.length, UInt32(mask.count))
      data.value(BitwiseNumber.mask, mask)
      data.value(BitwiseNumber.exclusiveOr, [UInt8](repeating: 0, count: mask.count))
    case .compare(let register, let comparison, let bytes):
      data.bigEndian(CompareNumber.source, register.number)
      data.bigEndian(CompareNumber.comparison, comparison.number)
      data.value(CompareNumber.data, bytes)
    case .lookup(let register, let set, let isInverted):
      data.text(LookupNumber.set, set)
      data.bigEndian(LookupNumber.source, register.number)
      if isInverted {
        data.bigEndian(LookupNumber.flags, LookupNumber.inverted)
      }
    case .verdictLookup(let register, let map):
      data.text(LookupNumber.set, map)
      data.bigEndian(LookupNumber.source, register.number)
      data.bigEndian(LookupNumber.target, Self.verdictRegister)
    case .verdict(let verdict):
      data.bigEndian(ImmediateNumber.target, Self.verdictRegister)
      data.nest(ImmediateNumber.data) { $0.verdict(verdict) }
    case .masquerade:
      break
    }
  }

  /// Where a verdict goes. `NFT_REG_VERDICT`
  private static var verdictRegister: UInt32 { 0 }
}

extension AttributeWriter {
  /// Writes bytes in the wrapping of `enum nft_data_attributes`.
  mutating func value(_ type: UInt16, _ bytes: [UInt8]) {
    nest(type) { $0.bytes(DataAttribute.value, bytes) }
  }

  /// Writes a verdict. `NFTA_DATA_VERDICT`
  mutating func verdict(_ verdict: Verdict) {
    nest(DataAttribute.verdict) { inner in
      inner.bigEndian(DataAttribute.verdictCode, verdict.code)
      if let chain = verdict.chain {
        inner.text(DataAttribute.verdictChain, chain)
      }
    }
  }
}

extension Expression.Header {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .link: PayloadNumber.linkHeader
    case .network: PayloadNumber.networkHeader
    case .transport: PayloadNumber.transportHeader
    }
  }
}

extension Expression.MetaKey {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .networkProtocol: MetaNumber.networkProtocol
    case .transportProtocol: MetaNumber.transportProtocol
    case .inputName: MetaNumber.inputName
    }
  }
}

extension Expression.Comparison {
  /// The kernel's number.
  fileprivate var number: UInt32 {
    switch self {
    case .equal: CompareNumber.equal
    case .notEqual: CompareNumber.notEqual
    }
  }
}
