internal import Netlink

extension RuleStep {
  /// Reads one step of a rule's list. `NFTA_LIST_ELEM`
  init(_ attribute: Attribute) {
    let name = attribute.attributes[ExpressionAttribute.name]?.text ?? "?"
    guard let data = attribute.attributes[ExpressionAttribute.data]?.attributes else {
      // Some steps have nothing to say but their names.
      self = RuleStep.wordless[name] ?? .unknown(name)
      return
    }
    self =
      RuleStep(loading: name, data) ?? RuleStep(deciding: name, data)
      ?? RuleStep(acting: name, data) ?? RuleStep.wordless[name] ?? .unknown(name)
  }

  private static let wordless: [String: RuleStep] = [
    "masq": .masquerade(port: nil), "redir": .redirect(port: nil), "notrack": .untracked,
    "reject": .reject, "queue": .queue, "counter": .passes("counter"), "log": .passes("log"),
    "last": .passes("last"), "dup": .passes("dup"), "objref": .passes("objref"),
    "flow_offload": .passes("flow_offload"),
  ]
}

extension RuleStep.ForeignPart {
  init(_ data: AttributeReader) {
    self.init(
      name: data[ForeignNumber.name]?.text ?? "?",
      revision: data.number(ForeignNumber.revision) ?? 0,
      data: data[ForeignNumber.data].map { Array($0.bytes) } ?? [])
  }
}

extension AttributeReader {
  /// A number of 32 bits.
  func number(_ type: UInt16) -> UInt32? { self[type]?.bigEndian() }

  /// Whether a flag is among those of an attribute.
  func has(_ flag: UInt32, in type: UInt16) -> Bool {
    (number(type) ?? 0) & flag != 0
  }

  /// The bytes that an attribute wraps.
  func value(_ type: UInt16) -> [UInt8]? {
    self[type]?.attributes[DataAttribute.value].map { Array($0.bytes) }
  }

  /// A register by the kernel's number; nil for that of verdicts and for none.
  func register(_ type: UInt16) -> Register? {
    switch number(type) {
    case let number? where 1...4 ~= number: Register(Int(number - 1) * 4)
    case let number? where 8...23 ~= number: Register(Int(number) - 8)
    default: nil
    }
  }

  /// Two registers; the second may be left out.
  func span(_ first: UInt16, _ last: UInt16) -> RuleStep.Span? {
    register(first).map { RuleStep.Span(first: $0, last: register(last) ?? $0) }
  }
}
