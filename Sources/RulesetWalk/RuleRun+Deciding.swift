internal import Nftables

extension RuleRun {
  /// Steps after which the rule goes on or does not.
  mutating func decide(_ step: RuleStep) -> StepResult? {
    switch step {
    case .compare(let source, let comparison, let bytes):
      let value = registers.load(source, count: bytes.count)
      return goOn(if: value.compares(comparison, bytes), orAssume: "it compares what is not known")
    case .range(let source, let isInverted, let first, let last):
      let value = registers.load(source, count: first.count).known
      let lies = value.map { value in
        !value.lexicographicallyPrecedes(first) && !last.lexicographicallyPrecedes(value)
      }
      return goOn(if: lies.map { $0 != isInverted }, orAssume: "it compares what is not known")
    case .lookup(let source, let name, let isInverted): return lookUp(source, name, isInverted)
    case .verdictLookup(let source, let name): return lookUpVerdict(source, name)
    case .dataLookup(let source, let name, let target): return lookUpData(source, name, target)
    case .update(let update):
      for step in update.steps {
        let result = take(step)
        guard case .goOn = result else { return result }
      }
      return update.isInverted ? .noMatch : .goOn
    case .limit(let isBeyond): return isBeyond ? .noMatch : .goOn
    case .foreignMatch(let part):
      let matches = part.matches(branch.packet, setting)
      return goOn(if: matches, orAssume: "it asks iptables' match \(part.name)")
    default: return nil
    }
  }

  /// Whether a set has what a register holds.
  private mutating func lookUp(
    _ source: Register, _ name: String, _ isInverted: Bool
  ) -> StepResult {
    let isThere: Bool? =
      switch find(name, source) {
      case .found?: true
      case .missing?: false
      case .uncertain?, nil: nil
      }
    return goOn(
      if: isThere.map { $0 != isInverted }, orAssume: "what it looks up in \(name) is not known")
  }

  /// The verdict that a map has for what a register holds.
  private mutating func lookUpVerdict(_ source: Register, _ name: String) -> StepResult {
    guard case .found(let element)? = find(name, source) else {
      return missing(name, source, .unknown("the verdict that \(name) has"))
    }
    guard case .verdict(let verdict)? = element.value else { return .goOn }
    return end(with: verdict)
  }

  /// Loads what a map has for what a register holds.
  private mutating func lookUpData(
    _ source: Register, _ name: String, _ target: Register
  ) -> StepResult {
    switch find(name, source) {
    case .found(let found)?:
      guard case .data(let data)? = found.value else { return .noMatch }
      registers.store(data.bytes, target)
      return .goOn
    case .missing?: return .noMatch
    case .uncertain?, nil:
      registers.store(.unknown(16), target)
      return goOn(if: nil, orAssume: "what it looks up in \(name) is not known")
    }
  }

  private mutating func missing(
    _ name: String, _ source: Register, _ action: Doubt.Action
  ) -> StepResult {
    if case .missing? = find(name, source) { return .noMatch }
    _ = goOn(if: nil, orAssume: "what it looks up in \(name) is not known")
    return .doubtful(action)
  }

  /// Searches a set of the rule's table; nil if there is none.
  private mutating func find(_ name: String, _ source: Register) -> SetFinding? {
    let registers = registers
    let finding = setting.sets.search(name, in: setting.table) {
      registers.load(source, count: $0)
    }
    if case .found(let found)? = finding {
      element = ElementPlace(set: name, comment: found.comment)
    }
    return finding
  }
}

extension PartlyKnown {
  fileprivate func compares(_ comparison: RuleStep.Comparison, _ bytes: [UInt8]) -> Bool? {
    switch comparison {
    case .equal: return equals(bytes)
    case .notEqual: return equals(bytes).map { !$0 }
    case .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    guard let known else { return nil }
    return switch comparison {
    case .less: known.lexicographicallyPrecedes(bytes)
    case .lessOrEqual: !bytes.lexicographicallyPrecedes(known)
    case .greater: bytes.lexicographicallyPrecedes(known)
    default: !known.lexicographicallyPrecedes(bytes)
    }
  }
}
