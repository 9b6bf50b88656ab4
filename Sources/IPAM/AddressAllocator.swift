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

  /// Allocates from these sets.
  public init(sets: [RangeSet]) {
    self.sets = sets
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
    let wishes = try assign(requested)
    try refuseSecond(for: owner, in: &store)
    for index in sets.indices where wishes[index] == nil {
      try refuseFull(set: index, in: &store)
    }
    var allocations: [Allocation] = []
    do throws(AllocationError) {
      for index in sets.indices {
        allocations.append(try take(wishes[index], fromSet: index, for: owner, in: &store))
      }
    } catch {
      giveBack(allocations, of: owner, in: &store)
      throw error
    }
    for (index, allocation) in allocations.enumerated() {
      store.rememberLastReserved(allocation.address, inSet: index)
    }
    return allocations
  }

  /// Ties each wish to the first set it fits, at most one to a set.
  private func assign(_ requested: [IPAddress]) throws(AllocationError) -> [IPAddress?] {
    var wishes = [IPAddress?](repeating: nil, count: sets.count)
    var left: [IPAddress] = []
    for address in requested {
      let index = sets.indices.first {
        wishes[$0] == nil && sets[$0].range(holding: address) != nil
      }
      if let index {
        wishes[index] = address
      } else if !wishes.contains(address) {
        left.append(address)
      }
    }
    guard left.isEmpty else { throw .notInRanges(left) }
    return wishes
  }

  private func refuseSecond(
    for owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) {
    for lease in try stored({ () throws(SystemError) in try store.leases(of: owner) }) {
      let index = sets.firstIndex { $0.range(holding: lease.address) != nil }
      if let index { throw .alreadyHeld(lease.address, by: owner, set: index) }
    }
  }

  /// Refuses before anything is taken from the other sets, so that a full set costs no changes.
  private func refuseFull(
    set index: Int, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) {
    let runs = sets[index].ranges.map { $0.first...$0.last }
    repeat {
      for run in runs {
        let hasRoom = try stored { () throws(SystemError) in
          try firstFree(in: run, ofSet: index, in: &store) != nil
        }
        if hasRoom { return }
      }
    } while try stored { () throws(SystemError) in try store.reread() }
    throw .exhausted(set: index, sets[index])
  }

  private func take(
    _ wish: IPAddress?, fromSet index: Int, for owner: LeaseOwner,
    in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> Allocation {
    guard let wish, let range = sets[index].range(holding: wish) else {
      return try takeNext(fromSet: index, for: owner, in: &store)
    }
    guard wish != range.gateway else { throw .gateway(wish, set: index) }
    let isReserved = try stored { () throws(SystemError) in
      try store.reserve(wish, for: owner)
    }
    guard isReserved else { throw .taken(wish, set: index, sets[index]) }
    return Allocation(address: wish, range: range)
  }

  private func takeNext(
    fromSet index: Int, for owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> Allocation {
    let cursor = AddressCursor(after: store.lastReserved(inSet: index), in: sets[index])
    repeat {
      for span in cursor.spans {
        let address = try stored { () throws(SystemError) in
          try reserveFirst(in: span.addresses, ofSet: index, for: owner, in: &store)
        }
        if let address { return Allocation(address: address, range: span.range) }
      }
    } while try stored { () throws(SystemError) in try store.reread() }
    throw .exhausted(set: index, sets[index])
  }

  private func reserveFirst(
    in run: ClosedRange<IPAddress>, ofSet index: Int, for owner: LeaseOwner,
    in store: inout some LeaseStore & ~Copyable
  ) throws(SystemError) -> IPAddress? {
    var rest = run
    while let address = try firstFree(in: rest, ofSet: index, in: &store) {
      if try store.reserve(address, for: owner) { return address }
      // It was not free after all, as the store knows by now.
      guard let next = address.next(), next <= run.upperBound else { return nil }
      rest = next...run.upperBound
    }
    return nil
  }

  /// The first address that is neither held nor a gateway.
  private func firstFree(
    in run: ClosedRange<IPAddress>, ofSet index: Int,
    in store: inout some LeaseStore & ~Copyable
  ) throws(SystemError) -> IPAddress? {
    var rest = run
    while let address = try store.firstFree(in: rest) {
      if !sets[index].isGateway(address) { return address }
      guard let next = address.next(), next <= run.upperBound else { return nil }
      rest = next...run.upperBound
    }
    return nil
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

  private func stored<Value>(
    _ work: () throws(SystemError) -> Value
  ) throws(AllocationError) -> Value {
    do throws(SystemError) { return try work() } catch { throw .store(error) }
  }
}
