/// Addresses that follow one another.
///
/// The packet filter's sets of ranges take none that overlap, so networks are put together before.
public struct AddressSpan: Hashable, Sendable {
  /// The lowest.
  public let first: IPAddress
  /// The highest.
  public let last: IPAddress

  /// All addresses of a network.
  public init(_ subnet: Subnet) {
    self.init(first: subnet.first, last: subnet.last)
  }

  private init(first: IPAddress, last: IPAddress) {
    self.first = first
    self.last = last
  }

  /// The fewest spans that hold all addresses of these networks, which are of one family.
  public static func all(of subnets: [Subnet]) -> [AddressSpan] {
    united(subnets.map(AddressSpan.init))
  }

  /// The fewest spans that hold all addresses of these, which are of one family.
  public static func united(_ parts: [AddressSpan]) -> [AddressSpan] {
    var spans: [AddressSpan] = []
    for part in parts.sorted(by: { $0.first < $1.first }) {
      if let before = spans.last, let next = before.last.next(), part.first > next {
        spans.append(part)
      } else if let before = spans.popLast() {
        spans.append(AddressSpan(first: before.first, last: max(before.last, part.last)))
      } else {
        spans.append(part)
      }
    }
    return spans
  }

  /// The addresses that mean this very host: 127.0.0.0/8 or ::1.
  public static func loopback(_ family: IPFamily) -> AddressSpan {
    let (first, last): (UInt128, UInt128) = family == .v4 ? (0x7f00_0000, 0x7fff_ffff) : (1, 1)
    return AddressSpan(
      first: IPAddress(bits: first, family: family), last: IPAddress(bits: last, family: family))
  }

  /// What is left without these addresses.
  public func without(_ other: AddressSpan) -> [AddressSpan] {
    guard first <= other.last, other.first <= last else { return [self] }
    var rest: [AddressSpan] = []
    if let end = other.first.previous(), first <= end {
      rest.append(AddressSpan(first: first, last: end))
    }
    if let start = other.last.next(), start <= last {
      rest.append(AddressSpan(first: start, last: last))
    }
    return rest
  }

  /// Whether all addresses of the other lie in this one.
  public func contains(_ other: AddressSpan) -> Bool {
    first.family == other.first.family && first <= other.first && other.last <= last
  }
}
