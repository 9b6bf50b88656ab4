internal import Netlink

extension RuleStep {
  /// Steps after which the rule goes on or does not.
  init?(deciding name: String, _ data: AttributeReader) {
    switch name {
    case "cmp":
      guard let source = data.register(CompareNumber.source),
        let comparison = Comparison(number: data.number(CompareNumber.comparison)),
        let bytes = data.value(CompareNumber.data)
      else { return nil }
      self = .compare(source, comparison, bytes)
    case "range":
      guard let source = data.register(RangeNumber.source),
        let first = data.value(RangeNumber.first), let last = data.value(RangeNumber.last),
        first.count == last.count
      else { return nil }
      let isInverted = data.number(RangeNumber.comparison) == RangeNumber.outside
      self = .range(source, isInverted: isInverted, first, last)
    case "lookup": self.init(lookup: data)
    case "dynset": self.init(update: data)
    case "limit": self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.limitFlags))
    case "connlimit":
      self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.connectionLimitFlags))
    case "quota": self = .limit(isBeyond: data.has(StepNumber.beyond, in: StepNumber.quotaFlags))
    case "match": self = .foreignMatch(ForeignPart(data))
    default: return nil
    }
  }

  private init?(lookup data: AttributeReader) {
    guard let source = data.register(LookupNumber.source),
      let set = data[LookupNumber.set]?.text
    else { return nil }
    if let target = data.register(LookupNumber.target) {
      self = .dataLookup(source, in: set, into: target)
    } else if data.number(LookupNumber.target) != nil {
      self = .verdictLookup(source, in: set)
    } else {
      let flags = data.number(LookupNumber.flags) ?? 0
      self = .lookup(source, in: set, isInverted: flags & LookupNumber.inverted != 0)
    }
  }

  private init?(update data: AttributeReader) {
    guard let set = data[UpdateNumber.set]?.text else { return nil }
    let flags = data.number(StepNumber.updateFlags) ?? 0
    var steps = data[StepNumber.updateStep].map { [RuleStep($0)] } ?? []
    steps += data[StepNumber.updateSteps]?.attributes.map { RuleStep($0) } ?? []
    self = .update(
      SetUpdate(set: set, isInverted: flags & StepNumber.updateInverted != 0, steps: steps))
  }
}
