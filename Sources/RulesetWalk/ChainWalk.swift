internal import Addressing
internal import Nftables

/// One chain and those it jumps to, asked about a packet.
struct ChainWalk {
  let ruleset: Ruleset
  let sets: SetDirectory
  let facts: WalkFacts
  let place: Hook.Place

  /// How deep the kernel lets chains jump. `NFT_JUMP_STACK_SIZE`
  private static let deepest = 16

  /// How a chain has ended for a packet.
  private enum Ending {
    /// Its end has been reached, or a rule has returned.
    case end
    case accepted(Decision)
    case passage(Passage.Ending)
  }

  private struct Way {
    var passage: Passage
    var ending: Ending
  }

  /// Sends a packet through a chain with a hook.
  func enter(_ chain: Ruleset.Chain, _ passage: Passage) -> [Passage] {
    walk(chain, passage, depth: 0).map { way in
      var passage = way.passage
      switch way.ending {
      case .passage(let ending): passage.ending = ending
      case .accepted: break
      case .end:
        if chain.dropsAtItsEnd {
          passage.ending = .dropped(.policy(chain.table, chain: chain.name))
        }
      }
      return passage
    }
  }

  private func walk(_ chain: Ruleset.Chain, _ passage: Passage, depth: Int) -> [Way] {
    var live = [passage]
    var ways: [Way] = []
    for (index, rule) in chain.rules.enumerated() where !live.isEmpty {
      let rulePlace = RulePlace(
        table: chain.table, chain: chain.name, number: index + 1, handle: rule.handle,
        comment: rule.comment)
      var next: [Passage] = []
      for passage in live {
        for way in ask(rule, rulePlace, passage, depth: depth) {
          if case .next = way.1 {
            next.append(way.0)
          } else if case .left(let ending) = way.1 {
            ways.append(Way(passage: way.0, ending: ending))
          }
        }
      }
      live = next
    }
    return ways + live.map { Way(passage: $0, ending: .end) }
  }

  /// What comes after a rule: the next one, or an end of the chain.
  private enum After {
    case next
    case left(Ending)
  }

  private func ask(
    _ rule: Ruleset.Rule, _ rulePlace: RulePlace, _ passage: Passage, depth: Int
  ) -> [(Passage, After)] {
    let setting = RuleSetting(
      sets: sets, facts: facts, place: place, table: rulePlace.table)
    let run = RuleRun(setting, rulePlace, passage.packet)
    return run.run(rule.steps[...]).flatMap { share, branch -> [(Passage, After)] in
      var passage = passage
      passage.share = passage.share * share
      passage.packet = branch.packet
      passage.events += branch.events
      if let doubt = branch.doubt, matters(doubt, passage, depth) {
        passage.doubts.append(doubt)
      }
      switch branch.result {
      case .next: return [(passage, .next)]
      case .refused: return [(passage, .left(.passage(.refused(.rule(rulePlace)))))]
      case .queued: return [(passage, .left(.passage(.queued(.rule(rulePlace)))))]
      case .verdict(let verdict):
        return follow(verdict, rulePlace, passage, branch, depth: depth)
      }
    }
  }

  private func follow(
    _ verdict: Verdict, _ rulePlace: RulePlace, _ passage: Passage, _ branch: RuleBranch,
    depth: Int
  ) -> [(Passage, After)] {
    switch verdict {
    case .accept:
      var passage = passage
      // A rule that translates has told so already.
      if branch.events.isEmpty {
        passage.events.append(WalkEvent(action: .accepted, rule: rulePlace, element: nil))
      }
      return [(passage, .left(.accepted(.rule(rulePlace))))]
    case .drop: return [(passage, .left(.passage(.dropped(.rule(rulePlace)))))]
    case .return: return [(passage, .left(.end))]
    case .jump(let name), .goto(let name):
      guard depth < Self.deepest, let chain = ruleset.chain(name, in: rulePlace.table) else {
        return [(passage, .next)]
      }
      return walk(chain, passage, depth: depth + 1).map { way in
        guard case .end = way.ending else { return (way.passage, .left(way.ending)) }
        if case .goto = verdict { return (way.passage, .left(.end)) }
        return (way.passage, .next)
      }
    }
  }

  /// Whether a doubtful rule could change anything; a chain without effect may be gone to or not.
  private func matters(_ doubt: Doubt, _ passage: Passage, _ depth: Int) -> Bool {
    guard case .goOn(let name) = doubt.action, depth < Self.deepest,
      let chain = ruleset.chain(name, in: doubt.rule.table)
    else { return true }
    return walk(chain, passage, depth: depth + 1).contains { way in
      guard case .end = way.ending else { return true }
      return way.passage.packet != passage.packet || way.passage.doubts != passage.doubts
    }
  }
}
