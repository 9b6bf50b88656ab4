public import Addressing
public import Linux

extension DirectoryLeaseStore {
  /// Gives an address to an owner; false when it is held.
  ///
  /// The kernel decides: a name exists or not. Where an empty or torn file of another plugin has
  /// the name, it makes room; we hold the lock, so nobody is still writing it.
  public mutating func reserve(
    _ address: IPAddress, for owner: LeaseOwner
  ) throws(SystemError) -> Bool {
    let name = path(of: address)
    while try !publish(owner, as: name) {
      switch try LeaseFile.look(at: name) {
      case .torn: try File.remove(name)
      case .nothing: continue
      case .lease, .obstacle:
        try learnThatHeld(address)
        return false
      }
    }
    isFresh = false
    try recordDraft(at: address)
    return true
  }

  private mutating func publish(
    _ owner: LeaseOwner, as name: String
  ) throws(SystemError) -> Bool {
    if !holdsDraft(for: owner) {
      draft = try LeaseDraft(for: owner, in: path, sideDirectory: sideDirectory)
    }
    switch draft {
    case .some(let draft): return try draft.publish(as: name)
    case .none: return false
    }
  }

  private borrowing func holdsDraft(for owner: LeaseOwner) -> Bool {
    switch draft {
    case .some(let draft): draft.owner == owner
    case .none: false
    }
  }

  private mutating func recordDraft(at address: IPAddress) throws(SystemError) {
    let record: LeaseRecord
    switch draft {
    case .some(let draft): record = draft.record(at: address, seen: boot)
    case .none: return
    }
    do throws(SystemError) {
      try index.insert(record)
    } catch {
      // The lease is published, and the files will say so.
      try rebuildIndex()
    }
  }

  /// The index took an address for free that is not.
  private mutating func learnThatHeld(_ address: IPAddress) throws(SystemError) {
    let isKnown = try answer { index throws(SystemError) in
      try index.firstFree(in: address...address) == nil
    }
    if isKnown { return }
    if !isFresh { try rebuildIndex() }
    try answer { index throws(SystemError) in try index.hold(address) }
  }
}
