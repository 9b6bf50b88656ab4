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
