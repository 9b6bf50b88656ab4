public import Addressing

/// A range of a cluster that is given to its nodes in parts of one size.
///
/// A value of this type is one that can be allotted from.
public struct SubnetPool: Hashable, Sendable {
  /// The range.
  public let range: Subnet
  /// The prefix of each part.
  public let prefix: Prefix

  /// Parts a range; nil if it has no such parts.
  ///
  /// - Parameters:
  ///   - range: the range.
  ///   - prefix: of each part; longer than the range's, and of its family.
  public init?(_ range: Subnet, partsOf prefix: Prefix) {
    guard prefix.family == range.family, prefix.length > range.prefix.length else { return nil }
    self.range = range
    self.prefix = prefix
  }

  /// How many parts there are to give away.
  ///
  /// The first is not: its first address is that of the range, which some take for the range itself.
  /// flannel leaves it out as well.
  public var count: UInt128 { (UInt128(1) << (prefix.length - range.prefix.length)) - 1 }

  /// The part at a place from 0 to ``count`` - 1.
  public func part(_ place: UInt128) -> Subnet {
    let size = UInt128(1) << (range.family.bitWidth - prefix.length)
    let first = range.first.bits + (place + 1) * size
    return Subnet(containing: IPAddress(bits: first, family: range.family), prefix: prefix)
  }

  /// Whether a network is one of the parts.
  public func holds(_ subnet: Subnet) -> Bool {
    subnet.prefix == prefix && range.contains(subnet) && subnet.first != range.first
  }
}
