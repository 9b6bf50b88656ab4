/// What a rule does with a packet that it matches.
public enum Verdict: Hashable, Sendable {
  case accept
  case drop
  /// Goes on behind the rule that jumped here; in a chain with a hook: accepts.
  case `return`
  /// Goes on in another chain of the table and comes back.
  case jump(to: String)
  /// Goes on in another chain of the table for good.
  case goto(String)
}

extension Verdict {
  /// The kernel's number.
  var code: Int32 {
    switch self {
    case .accept: VerdictCode.accept
    case .drop: VerdictCode.drop
    case .return: VerdictCode.return
    case .jump: VerdictCode.jump
    case .goto: VerdictCode.goto
    }
  }

  /// The chain it leads to.
  var chain: String? {
    switch self {
    case .jump(let chain), .goto(let chain): chain
    case .accept, .drop, .return: nil
    }
  }

  /// Reads a verdict by number and chain; nil for one that this module has no word for.
  init?(code: Int32, chain: String?) {
    switch (code, chain) {
    case (VerdictCode.accept, _): self = .accept
    case (VerdictCode.drop, _): self = .drop
    case (VerdictCode.return, _): self = .return
    case (VerdictCode.jump, let chain?): self = .jump(to: chain)
    case (VerdictCode.goto, let chain?): self = .goto(chain)
    default: return nil
    }
  }
}
