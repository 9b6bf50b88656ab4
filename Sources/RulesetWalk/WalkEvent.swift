public import Nftables

/// A rule of a chain.
public struct RulePlace: Hashable, Sendable {
  /// The table.
  public let table: Table
  /// The chain.
  public let chain: String
  /// The how manieth rule of the chain it is, from 1.
  public let number: Int
  /// The kernel's number for it.
  public let handle: UInt64
  /// What was written beside it.
  public let comment: String?
}

/// Where a packet's way was decided.
public enum Decision: Hashable, Sendable {
  /// By a rule.
  case rule(RulePlace)
  /// At the end of a chain, by its policy.
  case policy(Table, chain: String)
}

/// Something that a rule has done.
public struct WalkEvent: Hashable, Sendable {
  /// What it has done.
  public enum Action: Hashable, Sendable {
    /// The packet goes on to the next chain of the place.
    case accepted
    /// The destination is another.
    case destinationTranslated(Packet)
    /// The source is another.
    case sourceTranslated(Packet)
    /// The packet has another mark.
    case marked(UInt32)
    /// Nobody follows the connection.
    case untracked
  }

  /// What was done.
  public let action: Action
  /// By which rule.
  public let rule: RulePlace
  /// The set or map that held what was looked up last, and what is written beside the element.
  public let element: ElementPlace?
}

/// An element that was found.
public struct ElementPlace: Hashable, Sendable {
  /// The set or map.
  public let set: String
  /// What was written beside it.
  public let comment: String?
}

/// A rule of which cannot be told whether it applies.
public struct Doubt: Hashable, Sendable {
  /// What it would do.
  public enum Action: Hashable, Sendable {
    case accept, drop, refuse, queue, translate, mark
    case goOn(chain: String)
    /// Something that has no word here.
    case unknown(String)
  }

  /// The rule.
  public let rule: RulePlace
  /// What could not be read or is not known.
  public let reason: String
  /// What it would do.
  public let action: Action
}

/// What becomes of a packet at one place.
public struct Passage: Hashable, Sendable {
  /// How it ends.
  public enum Ending: Hashable, Sendable {
    /// It goes on.
    case passes
    /// It is gone, and nobody is told.
    case dropped(Decision)
    /// It is gone, and its sender is told.
    case refused(Decision)
    /// A program decides.
    case queued(Decision)
  }

  /// In how many of all cases; less than all where a number is drawn.
  public var share: Share
  /// The packet behind the place.
  public var packet: Packet
  /// How it ends.
  public var ending: Ending
  /// What rules have done, in order.
  public var events: [WalkEvent]
  /// Rules that might have done something else.
  public var doubts: [Doubt]
}
