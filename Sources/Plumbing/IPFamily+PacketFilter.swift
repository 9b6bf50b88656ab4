public import Addressing

extension IPFamily {
  /// As it appears in the names of sets and chains of our table.
  public var shortName: String { self == .v4 ? "v4" : "v6" }
}
