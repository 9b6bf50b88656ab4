public import Addressing

/// Leases in memory: for tests of what stands on a store, and as the plainest account of what one
/// does.
public struct MemoryLeaseStore: LeaseStore {
  private var owners: [IPAddress: LeaseOwner] = [:]
  private var hints: [Int: IPAddress] = [:]

  /// Begins empty.
  public init() {}

  /// See ``LeaseStore/leases(of:)``.
  public mutating func leases(of owner: LeaseOwner) -> [Lease] {
    let exact = allLeases().filter { $0.owner == owner }
    return exact.isEmpty ? allLeases().filter { $0.owner == owner.containerAlone } : exact
  }

  /// See ``LeaseStore/allLeases()``.
  public mutating func allLeases() -> [Lease] {
    owners.map { Lease(address: $0, owner: $1) }.sorted { $0.address < $1.address }
  }

  /// See ``LeaseStore/firstFree(in:)``.
  public mutating func firstFree(in run: ClosedRange<IPAddress>) -> IPAddress? {
    var candidate = run.lowerBound
    while owners[candidate] != nil {
      guard let next = candidate.next(), next <= run.upperBound else { return nil }
      candidate = next
    }
    return candidate
  }

  /// See ``LeaseStore/heldCount(in:)``.
  public mutating func heldCount(in run: ClosedRange<IPAddress>) -> UInt128 {
    UInt128(owners.keys.count { run.contains($0) })
  }

  /// See ``LeaseStore/reserve(_:for:)``.
  public mutating func reserve(_ address: IPAddress, for owner: LeaseOwner) -> Bool {
    guard owners[address] == nil else { return false }
    owners[address] = owner
    return true
  }

  /// See ``LeaseStore/release(_:)``.
  public mutating func release(_ lease: Lease) {
    if owners[lease.address] == lease.owner { owners[lease.address] = nil }
  }

  /// See ``LeaseStore/lastReserved(inSet:)``.
  public mutating func lastReserved(inSet index: Int) -> IPAddress? { hints[index] }

  /// See ``LeaseStore/rememberLastReserved(_:inSet:)``.
  public mutating func rememberLastReserved(_ address: IPAddress, inSet index: Int) {
    hints[index] = address
  }

  /// See ``LeaseStore/reread()``: memory is all there is.
  public mutating func reread() -> Bool { false }

  /// See ``LeaseStore/settle()``: nothing to do.
  public mutating func settle() {}
}
