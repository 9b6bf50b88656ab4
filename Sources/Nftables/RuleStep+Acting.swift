internal import Netlink

extension RuleStep {
  /// Steps that do something.
  init?(acting name: String, _ data: AttributeReader) {
    switch name {
    case "immediate": self.init(immediate: data)
    case "nat":
      let flags = data.number(StepNumber.translationFlags) ?? 0
      self = .translate(
        Translation(
          isSource: data.number(TranslationNumber.type) == TranslationNumber.source,
          addresses: data.span(TranslationNumber.address, StepNumber.lastAddress),
          ports: data.span(TranslationNumber.port, StepNumber.lastPort),
          keepsHostPart: flags & StepNumber.keepsHostPart != 0))
    case "masq": self = .masquerade(port: data.register(StepNumber.masqueradePort))
    case "redir": self = .redirect(port: data.register(StepNumber.redirectPort))
    case "target": self = .foreignTarget(ForeignPart(data))
    default: return nil
    }
  }

  /// A constant for a register, or a verdict.
  private init?(immediate data: AttributeReader) {
    if let target = data.register(ImmediateNumber.target) {
      guard let bytes = data.value(ImmediateNumber.data) else { return nil }
      self = .constant(bytes, into: target)
      return
    }
    guard let content = data[ImmediateNumber.data]?.attributes[DataAttribute.verdict]?.attributes,
      let code = content.number(DataAttribute.verdictCode).map(Int32.init(bitPattern:))
    else { return nil }
    if code == VerdictCode.continue {
      self = .passes("continue")
    } else if let verdict = Verdict(code: code, chain: content[DataAttribute.verdictChain]?.text) {
      self = .verdict(verdict)
    } else {
      // The upper half of this one is the number of the queue.
      self = code & 0xff == VerdictCode.queue ? .queue : .unknown("verdict \(code)")
    }
  }
}
