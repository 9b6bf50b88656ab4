internal import Addressing
internal import Nftables
internal import RulesetWalk

extension RulePlace {
  /// The rule as people find it again.
  var text: String {
    let words = "rule \(number) of chain \(chain) in table \(table)"
    return comment.map { "\(words) (\"\($0)\")" } ?? words
  }
}

extension Decision {
  /// Who decided.
  var text: String {
    switch self {
    case .rule(let rule): rule.text
    case .policy(let table, let chain): "the policy of chain \(chain) in table \(table)"
    }
  }

  /// How to look at it, and what helps.
  var remedy: String {
    switch self {
    case .rule(let rule):
      "see it with: nft -a list chain \(rule.table) \(rule.chain) (handle \(rule.handle)); whoever"
        + " made it must let this packet pass"
    case .policy(let table, let chain):
      "no rule of it accepts the packet; see: nft list chain \(table) \(chain), and let a rule there"
        + " accept it"
        + (table.iptables.map { ", as with: \($0) -I \(chain) -s SOURCE -j ACCEPT" } ?? "")
    }
  }
}

extension Table {
  /// The program that speaks about it in its own words, if it is one that iptables-nft makes.
  fileprivate var iptables: String? {
    guard name == "filter" else { return nil }
    return switch family {
    case .ipv4: "iptables"
    case .ipv6: "ip6tables"
    case .inet, .bridge: nil
    }
  }
}

extension WalkEvent {
  /// What a rule has done to the packet.
  var text: String {
    switch action {
    case .accepted: "accepted"
    case .destinationTranslated(let packet):
      "destination becomes \(packet.destination.withPort(packet.destinationPort))"
    case .sourceTranslated(let packet): "source becomes \(packet.source)"
    case .marked(let mark): "mark becomes 0x\(String(mark, radix: 16))"
    case .untracked: "its connection is not followed"
    }
  }

  /// Because of what.
  var reason: String {
    guard let element else { return rule.text }
    let found = "an element of \(element.set)" + (element.comment.map { " (\"\($0)\")" } ?? "")
    return "\(rule.text), \(found)"
  }
}

extension Doubt {
  /// What cannot be told, and what it would mean.
  var sentence: String {
    let would =
      switch action {
      case .accept: "accept the packet"
      case .drop: "drop the packet"
      case .refuse: "refuse the packet"
      case .queue: "hand the packet to a program"
      case .translate: "translate it"
      case .mark: "mark it"
      case .goOn(let chain): "go on in chain \(chain)"
      case .unknown(let what): "do what is not known here: \(what)"
      }
    let because = reason.isEmpty ? "" : ", since \(reason)"
    return "\(rule.text) may apply\(because); it would \(would)"
  }
}
