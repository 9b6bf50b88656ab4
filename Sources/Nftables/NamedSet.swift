/// A set whose elements change without touching the rules that look into it.
///
/// A lookup costs the same for any number of elements: the kernel keeps them in a hash table.
/// Ranges are left out on purpose: of a set with ranges and several parts to a key the kernel
/// copies all elements at each commit.
public struct NamedSet: Hashable, Sendable {
  /// The table it stands in.
  public let table: Table
  /// Its name; up to 255 bytes.
  public let name: String
  /// What a key is made of.
  public let key: [DataType]

  /// Names a set; nothing is made yet.
  public init(_ name: String, in table: Table, key: [DataType]) {
    self.table = table
    self.name = name
    self.key = key
  }
}

/// A map: a set whose elements carry a value, or a verdict.
///
/// A map of verdicts that jump is checked element by element whenever a jump is added, which makes
/// each addition cost as much as there are elements; keep such maps small.
public struct NamedMap: Hashable, Sendable {
  /// Its keys.
  public let set: NamedSet
  /// What its values are; nil if they are verdicts.
  public let value: [DataType]?

  /// Names a map; nothing is made yet.
  ///
  /// Values without a type are verdicts.
  public init(_ name: String, in table: Table, key: [DataType], value: [DataType]?) {
    set = NamedSet(name, in: table, key: key)
    self.value = value
  }
}
