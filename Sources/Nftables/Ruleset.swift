/// All chains, rules, sets and maps of a network namespace, whoever made them.
public struct Ruleset: Hashable, Sendable {
  /// The chains of tables that are awake, in the kernel's order.
  public var chains: [Chain]
  /// The sets and maps.
  public var sets: [Set]

  /// Takes chains and sets as they are.
  public init(chains: [Chain] = [], sets: [Set] = []) {
    self.chains = chains
    self.sets = sets
  }

  /// The chain of this name in a table.
  public func chain(_ name: String, in table: Table) -> Chain? {
    chains.first { $0.name == name && $0.table == table }
  }

  /// The set or map of this name in a table.
  public func set(_ name: String, in table: Table) -> Set? {
    sets.first { $0.name == name && $0.table == table }
  }
}

extension Ruleset {
  /// A chain and its rules.
  public struct Chain: Hashable, Sendable {
    /// The table it stands in.
    public var table: Table
    /// Its name.
    public var name: String
    /// Where packets enter it; nil if only by a jump.
    public var hook: Hook?
    /// Packets that reach its end are dropped. `NFTA_CHAIN_POLICY`
    public var dropsAtItsEnd: Bool
    /// In order.
    public var rules: [Rule]

    /// Puts a chain together.
    public init(
      _ name: String, in table: Table, hook: Hook? = nil, dropsAtItsEnd: Bool = false,
      rules: [Rule] = []
    ) {
      self.table = table
      self.name = name
      self.hook = hook
      self.dropsAtItsEnd = dropsAtItsEnd
      self.rules = rules
    }
  }

  /// Where packets enter a chain, whatever kind of chain others have made.
  public struct Hook: Hashable, Sendable {
    /// At which place; nil where packets enter a link before all else, or leave it after all else.
    public var place: Nftables.Hook.Place?
    /// The kernel's word: "filter", "nat", "route".
    public var kind: String
    /// Lower comes first.
    public var priority: Int32
    /// The links it is bound to, by name.
    public var devices: [String]

    /// Puts a hook together.
    public init(
      _ place: Nftables.Hook.Place?, kind: String = "filter", priority: Int32 = 0,
      devices: [String] = []
    ) {
      self.place = place
      self.kind = kind
      self.priority = priority
      self.devices = devices
    }
  }

  /// A rule.
  public struct Rule: Hashable, Sendable {
    /// The kernel's number for it in its table.
    public var handle: UInt64
    /// What was written beside it.
    public var comment: String?
    /// What it does, in order.
    public var steps: [RuleStep]

    /// Puts a rule together.
    public init(_ steps: [RuleStep], handle: UInt64 = 0, comment: String? = nil) {
      self.steps = steps
      self.handle = handle
      self.comment = comment
    }
  }

  /// A set or a map and its elements.
  public struct Set: Hashable, Sendable {
    /// The table it stands in.
    public var table: Table
    /// Its name; those that stand in a rule are called "__set0" and so on.
    public var name: String
    /// Its elements are ranges. `NFT_SET_INTERVAL`
    public var hasRanges: Bool
    /// How many bytes each part of a key has, if it is a set of ranges and has several.
    public var partLengths: [Int]
    /// In the kernel's order.
    public var elements: [Element]

    /// Puts a set together.
    public init(
      _ name: String, in table: Table, hasRanges: Bool = false, partLengths: [Int] = [],
      elements: [Element] = []
    ) {
      self.table = table
      self.name = name
      self.hasRanges = hasRanges
      self.partLengths = partLengths
      self.elements = elements
    }
  }

  /// An element of a set or map.
  public struct Element: Hashable, Sendable {
    /// What is looked up; nil in the element that stands for all that is not there.
    public var key: [UInt8]?
    /// The last of a range of several parts.
    public var last: [UInt8]?
    /// It is the first key behind a range of one part, and is not there itself.
    public var isBehindRange: Bool
    /// What is found, in a map.
    public var value: Nftables.Element.Value?
    /// What was written beside it.
    public var comment: String?

    /// Puts an element together.
    public init(
      _ key: [UInt8]?, through last: [UInt8]? = nil, isBehindRange: Bool = false,
      value: Nftables.Element.Value? = nil, comment: String? = nil
    ) {
      self.key = key
      self.last = last
      self.isBehindRange = isBehindRange
      self.value = value
      self.comment = comment
    }
  }
}
