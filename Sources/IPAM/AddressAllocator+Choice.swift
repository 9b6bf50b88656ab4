internal import Addressing
internal import Linux

extension AddressAllocator {
  /// What is to be taken from one set.
  struct Choice {
    /// The set's position.
    let index: Int
    /// The set.
    let set: RangeSet
    /// The address that is wished for, and its range.
    var wish: (address: IPAddress, range: AddressRange)?
    /// Where to look without a wish.
    let cursor: AddressCursor
  }

  /// Ties each wish to the first set it fits, at most one to a set.
  func choices(
    _ requested: [IPAddress], in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> [Choice] {
    var choices: [Choice] = []
    for (index, set) in sets.enumerated() {
      let last = seed.map { set.address(for: $0) } ?? store.lastReserved(inSet: index)
      let cursor = AddressCursor(after: last, in: set)
      choices.append(Choice(index: index, set: set, cursor: cursor))
    }
    var left: [IPAddress] = []
    for address in requested where !choices.contains(where: { $0.wish?.address == address }) {
      if reservations.others.contains(address) { throw .reserved(address) }
      guard let place = place(of: address), choices[place.index].wish == nil else {
        left.append(address)
        continue
      }
      choices[place.index].wish = (address, place.range)
    }
    guard left.isEmpty else { throw .notInRanges(left) }
    for address in reservations.own {
      guard let place = place(of: address), choices[place.index].wish == nil else { continue }
      choices[place.index].wish = (address, place.range)
    }
    return choices
  }

  /// Refuses before anything is taken from the other sets, so that a full set costs no changes.
  func refuseFull(
    _ choice: Choice, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) {
    if choice.wish != nil { return }
    repeat {
      for span in choice.cursor.spans {
        let hasRoom = try stored { () throws(SystemError) in
          try firstFree(in: span.addresses, of: choice.set, in: &store) != nil
        }
        if hasRoom { return }
      }
    } while try stored { () throws(SystemError) in try store.reread() }
    throw .exhausted(set: choice.index, choice.set)
  }

  /// Takes the address that is wished for, or the next one.
  func take(
    _ choice: Choice, for owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> Allocation {
    guard let wish = choice.wish else { return try takeNext(choice, for: owner, in: &store) }
    guard wish.address != wish.range.gateway else {
      throw .gateway(wish.address, set: choice.index)
    }
    let isReserved = try stored { () throws(SystemError) in
      try store.reserve(wish.address, for: owner)
    }
    guard isReserved else { throw .taken(wish.address, set: choice.index, choice.set) }
    return Allocation(address: wish.address, range: wish.range)
  }

  private func takeNext(
    _ choice: Choice, for owner: LeaseOwner, in store: inout some LeaseStore & ~Copyable
  ) throws(AllocationError) -> Allocation {
    repeat {
      for span in choice.cursor.spans {
        let address = try stored { () throws(SystemError) in
          try reserveFirst(in: span.addresses, of: choice.set, for: owner, in: &store)
        }
        if let address { return Allocation(address: address, range: span.range) }
      }
    } while try stored { () throws(SystemError) in try store.reread() }
    throw .exhausted(set: choice.index, choice.set)
  }

  private func reserveFirst(
    in run: ClosedRange<IPAddress>, of set: RangeSet, for owner: LeaseOwner,
    in store: inout some LeaseStore & ~Copyable
  ) throws(SystemError) -> IPAddress? {
    var rest = run
    while let address = try firstFree(in: rest, of: set, in: &store) {
      if try store.reserve(address, for: owner) { return address }
      // It was not free after all, as the store knows by now.
      guard let next = address.next(), next <= run.upperBound else { return nil }
      rest = next...run.upperBound
    }
    return nil
  }

  /// The first address that is neither held, nor a gateway, nor kept for somebody.
  private func firstFree(
    in run: ClosedRange<IPAddress>, of set: RangeSet,
    in store: inout some LeaseStore & ~Copyable
  ) throws(SystemError) -> IPAddress? {
    var rest = run
    while let address = try store.firstFree(in: rest) {
      if !set.isGateway(address), !reservations.contains(address) { return address }
      guard let next = address.next(), next <= run.upperBound else { return nil }
      rest = next...run.upperBound
    }
    return nil
  }
}
