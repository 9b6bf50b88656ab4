public import Addressing

/// Addresses that are kept for somebody, whoever else asks.
public struct Reservations: Hashable, Sendable {
  /// Those of the owner who asks now; they may lie beside the ranges, in the subnet of one.
  public let own: [IPAddress]
  /// Those of all others.
  public let others: Set<IPAddress>

  /// Keeps these addresses.
  public init(own: [IPAddress] = [], others: Set<IPAddress> = []) {
    self.own = own
    self.others = others
  }

  /// Keeps nothing.
  public static let none = Reservations()

  /// Whether the address is somebody's, and so not to be given out by turns.
  func contains(_ address: IPAddress) -> Bool {
    others.contains(address) || own.contains(address)
  }
}

extension AddressAllocator {
  /// Which set an address is given out of, and its range; nil if of none.
  ///
  /// What is reserved for the owner may lie beside the ranges.
  public func place(of address: IPAddress) -> (index: Int, range: AddressRange)? {
    for (index, set) in sets.enumerated() {
      if let range = set.range(holding: address) { return (index, range) }
    }
    guard reservations.own.contains(address) else { return nil }
    for (index, set) in sets.enumerated() {
      if let range = set.ranges.first(where: { $0.subnet.contains(address) }) {
        return (index, range)
      }
    }
    return nil
  }
}
