public import Addressing
public import Linux

/// Why addresses were not given out, or not taken back.
///
/// The wording of the cases that upstream has too is upstream's, since people search for it.
public enum AllocationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Every address of a set is held; `set` is its position.
  case exhausted(set: Int, RangeSet)
  /// The address that was asked for is held by another.
  case taken(IPAddress, set: Int, RangeSet)
  /// The address that was asked for is the router's.
  case gateway(IPAddress, set: Int)
  /// The address that was asked for is kept for somebody else.
  case reserved(IPAddress)
  /// The owner has an address of this set already.
  case alreadyHeld(IPAddress, by: LeaseOwner, set: Int)
  /// Addresses were asked for that lie in none of the sets, or where another was taken.
  case notInRanges([IPAddress])
  /// Somebody else has kept the store's lock for too long.
  case busy(lock: String, holder: String)
  /// The store's directory can be changed by others than root.
  case unsafe(directory: String)
  /// The store could not be read or written.
  case store(SystemError)

  /// What happened, with the values concerned.
  public var description: String {
    switch self {
    case .exhausted(let index, let set):
      failed(index, "no IP addresses available in range set: \(set)")
    case .taken(let address, let index, let set):
      failed(index, "requested IP address \(address) is not available in range set \(set)")
    case .gateway(let address, let index):
      failed(index, "requested ip \(address) is subnet's gateway")
    case .reserved(let address):
      "requested ip \(address) is reserved for another"
    case .alreadyHeld(let address, let owner, let index):
      failed(
        index,
        "\(address) has been allocated to \(owner.container), "
          + "duplicate allocation is not allowed")
    case .notInRanges(let addresses):
      "failed to allocate all requested IPs: "
        + addresses.map(\.description).joined(separator: " ")
    case .busy(let lock, let holder):
      "the lease store is busy: \(lock) is held by \(holder)"
    case .unsafe(let directory):
      "the lease store \(directory) can be changed by others than root"
    case .store(let error):
      "the lease store failed: \(error)"
    }
  }

  private func failed(_ index: Int, _ reason: String) -> String {
    "failed to allocate for range \(index): \(reason)"
  }
}
