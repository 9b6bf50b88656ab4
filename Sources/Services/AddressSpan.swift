internal import Addressing

/// Addresses that follow one another.
///
/// Sets of ranges take none that overlap, so networks are put together before.
struct AddressSpan: Hashable, Sendable {
  let first: IPAddress
  let last: IPAddress

  /// The fewest spans that hold all addresses of these networks, which are of one family.
  static func all(of subnets: [Subnet]) -> [AddressSpan] {
    var spans: [AddressSpan] = []
    for subnet in subnets.sorted(by: { $0.first < $1.first }) {
      if let before = spans.last, let next = before.last.next(), subnet.first > next {
        spans.append(AddressSpan(first: subnet.first, last: subnet.last))
      } else if let before = spans.popLast() {
        spans.append(AddressSpan(first: before.first, last: max(before.last, subnet.last)))
      } else {
        spans.append(AddressSpan(first: subnet.first, last: subnet.last))
      }
    }
    return spans
  }

  /// The addresses that mean this very host: 127.0.0.0/8 or ::1.
  static func loopback(_ family: IPFamily) -> AddressSpan {
    let (first, last): (UInt128, UInt128) = family == .v4 ? (0x7f00_0000, 0x7fff_ffff) : (1, 1)
    return AddressSpan(
      first: IPAddress(bits: first, family: family), last: IPAddress(bits: last, family: family))
  }

  /// What is left without these addresses.
  func without(_ other: AddressSpan) -> [AddressSpan] {
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
}
