/// A rule: conditions, then what is done if all hold.
public struct Rule: Hashable, Sendable {
  /// The steps, in order.
  public let expressions: [Expression]
  /// What `nft list ruleset` shows beside it; up to 127 bytes.
  public let comment: String?

  /// Puts conditions and an action together.
  ///
  /// - Parameters:
  ///   - matches: what must hold, in order.
  ///   - action: what is then done: `.masquerade`, `.verdict(.drop)`, `.verdictLookup(…)`.
  ///   - comment: what people are to read beside it.
  public init(_ matches: [Match] = [], _ action: Expression, comment: String? = nil) {
    expressions = matches.flatMap(\.expressions) + [action]
    self.comment = comment
  }

  /// Puts conditions together with the verdict that a map has for these fields side by side.
  ///
  /// nft: `ip daddr . meta l4proto . th dport vmap @services`
  public init(
    _ matches: [Match] = [], verdictOf fields: Field..., in map: NamedMap, comment: String? = nil
  ) {
    expressions =
      matches.flatMap(\.expressions) + fields.loadSideBySide
      + [.verdictLookup(Register(0), in: map.set.name)]
    self.comment = comment
  }
}

/// What the kernel keeps of a rule, as far as it is needed to find it again and to delete it.
public struct ListedRule: Hashable, Sendable {
  /// The kernel's number for it in its table. `NFTA_RULE_HANDLE`
  public let handle: UInt64
  /// What was written beside it.
  public let comment: String?

  /// Makes a listing by hand.
  public init(handle: UInt64, comment: String?) {
    self.handle = handle
    self.comment = comment
  }
}
