internal import Addressing
internal import Nftables

/// How a rule has ended for a packet.
enum RuleResult: Hashable {
  /// The next rule is asked.
  case next
  case verdict(Verdict)
  case refused
  case queued
}

/// One way a rule may end.
struct RuleBranch: Hashable {
  var packet: Packet
  var result = RuleResult.next
  var events: [WalkEvent] = []
  /// Set where it cannot be told whether the rule applies; then ``result`` is `next`.
  var doubt: Doubt?
}

/// What stands around a rule while it is asked.
struct RuleSetting {
  let sets: SetDirectory
  let facts: WalkFacts
  /// At which place of the packet's way.
  let place: Hook.Place
  let table: Table
}

/// One rule asked about one packet: the work of the kernel's `nft_do_chain`, for a part of the steps.
struct RuleRun {
  let setting: RuleSetting
  let rule: RulePlace
  var registers = RegisterFile()
  var branch: RuleBranch
  var share = Share.all
  /// The element that was found last.
  var element: ElementPlace?
  /// What has been taken for true without being known, the first of it.
  var assumption: String?

  init(_ setting: RuleSetting, _ rule: RulePlace, _ packet: Packet) {
    self.setting = setting
    self.rule = rule
    branch = RuleBranch(packet: packet)
  }

  /// How many values of a drawn number are gone through; more than that are too many to tell.
  private static let mostDraws: UInt32 = 4096

  /// Goes through steps; the ways they may end, with their shares.
  func run(_ steps: ArraySlice<RuleStep>) -> [(Share, RuleBranch)] {
    var run = self
    var rest = steps
    while let step = rest.popFirst() {
      if case .draw(let range, let target) = step { return run.draw(range, target, rest) }
      if case .hash(_, _, let range, let target) = step { return run.draw(range, target, rest) }
      if case .foreignMatch(let part) = step, let chance = part.chance {
        return run.draw(chance, rest)
      }
      switch run.take(step) {
      case .goOn: continue
      case .noMatch: return [(share, RuleBranch(packet: branch.packet))]
      case .end(let result):
        run.branch.result = result
        return [(run.share, run.branch)]
      case .doubtful(let action): return [(share, run.doubting(action))]
      }
    }
    return [(run.share, run.branch)]
  }

  /// Nothing has happened, but something might have.
  private func doubting(_ action: Doubt.Action) -> RuleBranch {
    var branch = RuleBranch(packet: branch.packet)
    // Nothing before the doubt has changed the packet: whatever changes it is doubted at once.
    branch.doubt = Doubt(rule: rule, reason: assumption ?? "", action: action)
    return branch
  }

  /// Goes on with each number that may be drawn, and puts equal ends together.
  private func draw(
    _ range: Expression.NumberRange, _ target: Register, _ rest: ArraySlice<RuleStep>
  ) -> [(Share, RuleBranch)] {
    guard range.count <= Self.mostDraws else {
      var run = self
      run.registers.store(.unknown(4), target)
      return run.run(rest)
    }
    var ends: [RuleBranch: UInt64] = [:]
    var order: [RuleBranch] = []
    var others: [(Share, RuleBranch)] = []
    for offset in 0..<range.count {
      var run = self
      run.registers.store((range.first &+ offset).hostBytes, target)
      for (part, end) in run.run(rest) {
        guard part == share else {
          // A draw within a draw.
          others.append((part * Share(1, of: UInt64(range.count)), end))
          continue
        }
        if ends[end] == nil { order.append(end) }
        ends[end, default: 0] += 1
      }
    }
    return order.map { (share * Share(ends[$0] ?? 0, of: UInt64(range.count)), $0) } + others
  }

  /// Goes on in so many cases, and has not matched in the others.
  private func draw(_ chance: Share, _ rest: ArraySlice<RuleStep>) -> [(Share, RuleBranch)] {
    let missed = Share(chance.denominator - chance.numerator, of: chance.denominator)
    return run(rest).map { ($0 * chance, $1) }
      + [(share * missed, RuleBranch(packet: branch.packet))]
  }
}

/// What a step leads to.
enum StepResult {
  case goOn
  /// The rule does not apply.
  case noMatch
  case end(RuleResult)
  /// It would do this, if what was assumed is true.
  case doubtful(Doubt.Action)
}

extension RuleRun {
  /// Takes a step.
  mutating func take(_ step: RuleStep) -> StepResult {
    load(step) ?? decide(step) ?? act(step)
  }

  /// Goes on, ends, or assumes that what is not known is true.
  mutating func goOn(if isTrue: Bool?, orAssume reason: @autoclosure () -> String) -> StepResult {
    switch isTrue {
    case true?: return .goOn
    case false?: return .noMatch
    case nil:
      assumption = assumption ?? reason()
      return .goOn
    }
  }

  /// Notes what a rule has done.
  mutating func note(_ action: WalkEvent.Action) {
    branch.events.append(WalkEvent(action: action, rule: rule, element: element))
  }

  /// Steps after which the rule goes on or does not.
  private mutating func decide(_ step: RuleStep) -> StepResult? {
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
    case .lookup(let source, let name, let isInverted):
      let isThere: Bool? =
        switch find(name, source) {
        case .found?: true
        case .missing?: false
        case .uncertain?, nil: nil
        }
      return goOn(
        if: isThere.map { $0 != isInverted }, orAssume: "what it looks up in \(name) is not known")
    case .verdictLookup(let source, let name):
      guard case .found(let element)? = find(name, source) else {
        return missing(name, source, .unknown("the verdict that \(name) has"))
      }
      guard case .verdict(let verdict)? = element.value else { return .goOn }
      return end(with: verdict)
    case .dataLookup(let source, let name, let target):
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
