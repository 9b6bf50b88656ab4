internal import Nftables

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
}
