public import Addressing
internal import Linux

/// Gives an owner one address of each range set, all or none.
public struct AddressAllocator: Sendable {
  /// An address that was given out, and the range it is of: prefix length and gateway follow.
  public struct Allocation: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The range it was taken from.
    public let range: AddressRange
  }

  /// The range sets; one address is given out of each, in this order.
  public let sets: [RangeSet]

  /// What is kept for somebody.
  public let reservations: Reservations
  /// Whoever has this text gets the same address each time, as long as it is free.
  let seed: String?

  /// Allocates from these sets.
  ///
  /// - Parameters:
  ///   - sets: the range sets.
  ///   - reservations: addresses that are kept for the owner and for others.
  ///   - seed: a text by which the search begins, so that the same owner finds the same address if
  ///     it is still free; by turns if nil.
  public init(sets: [RangeSet], reservations: Reservations = .none, seed: String? = nil) {
    self.sets = sets
    self.reservations = reservations
    self.seed = seed
  }

  /// Gives an owner its addresses.
  ///
  /// - Parameters:
  ///   - owner: who gets them.
  ///   - requested: addresses that are wished for; each must be used up by a set of its own.
  ///   - store: where leases are kept.
  /// - Returns: one allocation for each set, in order.
  /// - Throws: ``AllocationError``; the owner then holds no more than before. An owner that has an
  ///   address of one of the sets already is refused, so that a second ADD takes nothing from the
  ///   first.
  public func allocate(
    for owner: LeaseOwner, requested: [IPAddress] = [],
    in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> [Allocation] {
    // Also when it refuses: the store may have learnt something by then.
    defer { store.settle() }
    let choices = try choices(requested, in: &store)
    try refuseSecond(for: owner, in: &store)
    for choice in choices { try refuseFull(choice, in: &store) }

    var allocations: [Allocation] = []
    do throws(AllocationError) {
      for choice in choices { allocations.append(try take(choice, for: owner, in: &store)) }
    } catch {
      giveBack(allocations, of: owner, in: &store)
      throw error
    }
    for (index, allocation) in allocations.enumerated() {
      store.rememberLastReserved(allocation.address, inSet: index)
    }
    return allocations
  }

  private func refuseSecond(
    for owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) {
    for lease in try stored({ () throws(SystemError) in try store.leases(of: owner) }) {
      if let index = place(of: lease.address)?.index {
        throw .alreadyHeld(lease.address, by: owner, set: index)
      }
    }
  }

  private func giveBack(
    _ allocations: [Allocation], of owner: LeaseOwner,
    in store: inout some LeaseStore & ~Copyable
  ) {
    for allocation in allocations {
      do {
        try store.release(Lease(address: allocation.address, owner: owner))
      } catch {
        // The error that brought us here says more; the lease carries its owner, so the DEL that
        // follows a failed ADD finds it.
        continue
      }
    }
  }

  func stored<Value>(
    _ work: () throws(SystemError) -> Value
  ) throws(AllocationError) -> Value {
    do throws(SystemError) { return try work() } catch { throw .store(error) }
  }
}
