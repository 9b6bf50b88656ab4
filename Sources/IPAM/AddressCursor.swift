public import Addressing

/// The order in which the addresses of a set are tried: round robin, from the one after the last
/// that was given out.
///
/// An address that has just become free is thus the last to be used again, and what neighbours
/// remember of it has time to grow old.
public struct AddressCursor: Hashable, Sendable {
  /// A run of addresses to look through, and the range it is part of.
  public struct Span: Hashable, Sendable {
    /// The addresses, gateway included.
    public let addresses: ClosedRange<IPAddress>
    /// The range.
    public let range: AddressRange
  }

  /// The runs in the order they are looked through; together they are the whole set, each address
  /// once.
  public let spans: [Span]

  /// Begins after an address.
  ///
  /// - Parameters:
  ///   - last: the address given out last; when nil, or no longer in the set, it begins with the
  ///     first address of the set.
  ///   - set: the addresses.
  public init(after last: IPAddress?, in set: RangeSet) {
    guard let last, let index = set.ranges.firstIndex(where: { $0.contains(last) }) else {
      spans = set.ranges.map(Self.whole)
      return
    }
    let current = set.ranges[index]
    var spans: [Span] = []
    if last < current.last, let next = last.next() {
      spans.append(Span(addresses: next...current.last, range: current))
    }
    spans += set.ranges[(index + 1)...].map(Self.whole)
    spans += set.ranges[..<index].map(Self.whole)
    spans.append(Span(addresses: current.first...last, range: current))
    self.spans = spans
  }

  private static func whole(_ range: AddressRange) -> Span {
    Span(addresses: range.first...range.last, range: range)
  }
}
