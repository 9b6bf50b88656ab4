/// A set whose elements change without touching the rules that look into it.
///
/// A lookup costs the same for any number of elements: the kernel keeps them in a hash table.
public struct NamedSet: Hashable, Sendable {
  /// The table it stands in.
  public let table: Table
  /// Its name; up to 255 bytes.
  public let name: String
  /// What a key is made of.
  public let key: [DataType]
  /// What its elements are.
  public let kind: Kind

  /// Names a set; nothing is made yet.
  public init(_ name: String, in table: Table, key: [DataType], kind: Kind = .keys) {
    self.table = table
    self.name = name
    self.key = key
    self.kind = kind
  }

  /// What the elements of a set are.
  public enum Kind: Hashable, Sendable {
    /// A key each.
    case keys
    /// All keys from one to another; see ``Element/init(from:through:)``.
    ///
    /// Not for what changes often: of a set with ranges and several parts to a key the kernel
    /// copies all elements at each commit. `NFT_SET_INTERVAL`
    case ranges
    /// A key each, written by rules, that goes by itself after a time; at most so many.
    ///
    /// `NFT_SET_TIMEOUT`, `NFT_SET_EVAL`
    case timed(limit: UInt32)
  }
}

/// A map: a set whose elements carry a value, or a verdict.
///
/// A map of verdicts that jump is checked element by element whenever a jump is added anywhere in
/// the table, which makes each addition cost as much as there are elements; keep such maps small.
public struct NamedMap: Hashable, Sendable {
  /// Its keys.
  public let set: NamedSet
  /// What its values are; nil if they are verdicts.
  public let value: [DataType]?

  /// Names a map; nothing is made yet.
  ///
  /// Values without a type are verdicts.
  public init(
    _ name: String, in table: Table, key: [DataType], value: [DataType]?,
    kind: NamedSet.Kind = .keys
  ) {
    set = NamedSet(name, in: table, key: key, kind: kind)
    self.value = value
  }
}
