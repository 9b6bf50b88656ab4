public import Addressing

/// Ranges of one family of which a container gets one address.
public struct RangeSet: Hashable, Sendable, CustomStringConvertible {
  /// The ranges in the order they are used up; at least one, and none shares an address with
  /// another.
  public let ranges: [AddressRange]

  /// Puts ranges together.
  ///
  /// - Parameter ranges: the ranges, in the order they shall be used up.
  /// - Throws: ``AddressRangeError`` when there is none, or when they do not go together.
  public init(_ ranges: [AddressRange]) throws(AddressRangeError) {
    guard let first = ranges.first else { throw .emptySet }
    for (index, range) in ranges.enumerated() {
      guard range.subnet.family == first.subnet.family else { throw .mixedFamilies }
      for earlier in ranges[..<index] where earlier.overlaps(range) {
        throw .overlap(earlier, range)
      }
    }
    self.ranges = ranges
  }

  /// The family of all its addresses.
  public var family: IPFamily { ranges[0].subnet.family }

  /// The range that an address lies in.
  public func range(holding address: IPAddress) -> AddressRange? {
    ranges.first { $0.contains(address) }
  }

  /// Whether the address is the gateway of one of the ranges.
  public func isGateway(_ address: IPAddress) -> Bool {
    ranges.contains { $0.gateway == address }
  }

  /// An address of the set that follows from a text alone, the same in every process.
  func address(for text: String) -> IPAddress {
    let hash = IndexHash.of(text)
    let range = ranges[Int(hash >> 32) % ranges.count]
    let span = range.last.bits - range.first.bits
    let step = span == .max ? UInt128(hash) : UInt128(hash) % (span + 1)
    return IPAddress(bits: range.first.bits + step, family: family)
  }

  /// Whether the two sets share an address.
  public func overlaps(_ other: RangeSet) -> Bool {
    ranges.contains { range in other.ranges.contains { $0.overlaps(range) } }
  }

  /// The ranges, parted by commas.
  public var description: String {
    ranges.map(\.description).joined(separator: ",")
  }
}
