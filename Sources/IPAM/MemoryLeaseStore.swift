public import Addressing

/// Leases in memory: for tests of what stands on a store, and as the plainest account of what one
/// does.
public struct MemoryLeaseStore: LeaseStore {
  private var owners: [IPAddress: LeaseOwner] = [:]
  private var hints: [Int: IPAddress] = [:]

  /// Begins empty.
  public init() {}

  /// The leases of an owner.
  public mutating func leases(of owner: LeaseOwner) -> [Lease] {
    let exact = allLeases().filter { $0.owner == owner }
    return exact.isEmpty ? allLeases().filter { $0.owner == owner.containerAlone } : exact
  }

  /// All leases, by address.
  public mutating func allLeases() -> [Lease] {
    owners.map { Lease(address: $0, owner: $1) }.sorted { $0.address < $1.address }
  }

  /// The lowest address of a run that nobody holds.
  public mutating func firstFree(in run: ClosedRange<IPAddress>) -> IPAddress? {
    var candidate = run.lowerBound
    while owners[candidate] != nil {
      guard let next = candidate.next(), next <= run.upperBound else { return nil }
      candidate = next
    }
    return candidate
  }

  /// How many addresses of a run are held.
  public mutating func heldCount(in run: ClosedRange<IPAddress>) -> UInt128 {
    UInt128(owners.keys.count { run.contains($0) })
  }

  /// Gives an address to an owner; false when it is held.
  public mutating func reserve(_ address: IPAddress, for owner: LeaseOwner) -> Bool {
    guard owners[address] == nil else { return false }
    owners[address] = owner
    return true
  }

  /// Takes a lease back, if it is this owner's.
  public mutating func release(_ lease: Lease) {
    if owners[lease.address] == lease.owner { owners[lease.address] = nil }
  }

  /// The address given out last in a set.
  public mutating func lastReserved(inSet index: Int) -> IPAddress? { hints[index] }

  /// Remembers the address given out last in a set.
  public mutating func rememberLastReserved(_ address: IPAddress, inSet index: Int) {
    hints[index] = address
  }

  /// Nothing to read: memory is all there is.
  public mutating func reread() -> Bool { false }

  /// Nothing to write.
  public mutating func settle() {}
}
