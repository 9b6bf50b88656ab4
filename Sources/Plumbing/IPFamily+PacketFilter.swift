public import Addressing
public import Nftables

// What a family is called in our tables, and what its addresses are there.

extension IPFamily {
  /// As it appears in the names of sets and chains.
  public var shortName: String { self == .v4 ? "v4" : "v6" }

  /// What nft calls its addresses.
  public var dataType: DataType { self == .v4 ? .ipv4Address : .ipv6Address }
}
