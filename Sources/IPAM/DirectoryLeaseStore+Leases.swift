public import Addressing
public import Linux

extension DirectoryLeaseStore: LeaseStore {
  /// The leases of an owner, found in the index; only their files are read.
  public mutating func leases(of owner: LeaseOwner) throws(SystemError) -> [Lease] {
    let exact = try leases(ofExactly: owner)
    if !exact.isEmpty || owner.interface == nil { return exact }
    return try leases(ofExactly: owner.containerAlone)
  }

  private mutating func leases(ofExactly owner: LeaseOwner) throws(SystemError) -> [Lease] {
    let hash = LeaseRecord.hash(of: owner)
    let records = try answer { index throws(SystemError) in try index.records(ofOwner: hash) }
    var leases: [Lease] = []
    for record in records {
      switch try LeaseFile.look(at: path(of: record.address)) {
      case .lease(owner, _):
        leases.append(Lease(address: record.address, owner: owner))
      case .lease(let other, _) where LeaseRecord.hash(of: other) == hash:
        // Another owner of the same hash.
        continue
      default:
        // The index was wrong. From the files it cannot be.
        guard !isFresh else { continue }
        try rebuildIndex()
        return try self.leases(ofExactly: owner)
      }
    }
    if leases.isEmpty, let unreadable { throw unreadable }
    return leases
  }

  /// All leases, by address; every file is read, so that nothing rests on the index.
  public mutating func allLeases() throws(SystemError) -> [Lease] {
    var leases: [Lease] = []
    for name in try Directory.entries(of: path) {
      guard let address = LeaseFile.address(named: name) else { continue }
      if case .lease(let owner, _) = try LeaseFile.look(at: path(of: name)) {
        leases.append(Lease(address: address, owner: owner))
      }
    }
    return leases.sorted { $0.address < $1.address }
  }

  /// The lowest address of a run that nobody holds, by the index's bitmap.
  public mutating func firstFree(
    in run: ClosedRange<IPAddress>
  ) throws(SystemError) -> IPAddress? {
    try answer { index throws(SystemError) in try index.firstFree(in: run) }
  }

  /// How many addresses of a run are held, by the index's bitmap.
  public mutating func heldCount(
    in run: ClosedRange<IPAddress>
  ) throws(SystemError) -> UInt128 {
    try answer { index throws(SystemError) in try index.heldCount(in: run) }
  }

  /// Takes a lease back by removing its file, which takes no disk space.
  public mutating func release(_ lease: Lease) throws(SystemError) {
    if case .lease(lease.owner, _) = try LeaseFile.look(at: path(of: lease.address)) {
      try File.remove(path(of: lease.address))
    }
    isFresh = false
    let hash = LeaseRecord.hash(of: lease.owner)
    try answer { index throws(SystemError) in try index.remove(lease.address, ofOwner: hash) }
  }

  /// Reads all files again, unless the index comes from them already.
  public mutating func reread() throws(SystemError) -> Bool {
    if isFresh { return false }
    try rebuildIndex()
    return true
  }

  /// Asks the index; where its file fails, the lease files answer.
  mutating func answer<Value>(
    _ question: (inout LeaseIndex) throws(SystemError) -> Value
  ) throws(SystemError) -> Value {
    do throws(SystemError) {
      return try question(&index)
    } catch {
      // Made again it lies in memory, where nothing can fail.
      try rebuildIndex()
      return try question(&index)
    }
  }
}
