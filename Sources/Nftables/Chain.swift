/// A list of rules.
///
/// With a hook, packets enter it on their way; without one, only by a jump from another chain.
public struct Chain: Hashable, Sendable {
  /// The table it stands in.
  public let table: Table
  /// Its name; up to 255 bytes.
  public let name: String
  /// Where packets enter it.
  public let hook: Hook?

  /// Names a chain; nothing is made yet.
  ///
  /// Packets that reach its end are accepted.
  public init(_ name: String, in table: Table, hook: Hook? = nil) {
    self.table = table
    self.name = name
    self.hook = hook
  }
}

/// What the kernel keeps of a chain.
public struct ListedChain: Hashable, Sendable {
  /// Its name.
  public let name: String
  /// How many rules it has and how often it is jumped to, added up. `NFTA_CHAIN_USE`
  public let uses: Int

  /// Makes a listing by hand.
  public init(name: String, uses: Int) {
    self.name = name
    self.uses = uses
  }
}

/// What the kernel keeps of a chain with a hook, whoever made it.
public struct ListedBaseChain: Hashable, Sendable {
  /// The chain, without its hook.
  public let chain: Chain
  /// At which place on a packet's way it stands.
  public let place: Hook.Place
  /// Whether packets that reach its end are dropped. `NFTA_CHAIN_POLICY`
  public let dropsAtItsEnd: Bool
}
