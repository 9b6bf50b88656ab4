internal import Addressing
internal import Linux

extension DirectoryLeaseStore {
  /// Makes the index again from the files; from the old one it takes when each lease was seen.
  mutating func rebuildIndex() throws(SystemError) {
    let known = knownRecords()
    let names = try Directory.entries(of: path)
    var new = LeaseIndex(expecting: names.count)
    try new.note { [header = index.header] in $0.clearedBoot = header.clearedBoot }
    unreadable = nil

    // What others have written on a directory that machines share may be of any of them.
    let isShared = known.values.contains { $0.seen.machine != boot.machine }
    let unknown = isShared ? BootStamp(machine: 0, boot: 0) : boot
    for name in names {
      guard let address = LeaseFile.address(named: name) else { continue }
      do throws(SystemError) {
        switch try LeaseFile.look(at: path(of: name)) {
        case .lease(let owner, let status):
          let record = LeaseRecord(address: address, owner: owner, status: status, seen: unknown)
          let old = known[address]
          try new.insert(old.map { $0.isSameLease(as: record) ? $0 : record } ?? record)
        case .obstacle: try new.hold(address)
        case .torn, .nothing: continue
        }
      } catch {
        unreadable = unreadable ?? error
        try new.hold(address)
      }
    }
    index = new
    isFresh = true
  }

  private mutating func knownRecords() -> [IPAddress: LeaseRecord] {
    do throws(SystemError) {
      return Dictionary(
        try index.allRecords().map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    } catch {
      // What we knew cannot be read any more; then we know nothing.
      return [:]
    }
  }

  /// Takes back what was leased in an earlier boot of this machine, once in each boot.
  ///
  /// A lease that is not the very file we have seen is left alone.
  mutating func endLeasesOfEarlierBoots() throws(SystemError) {
    guard index.header.clearedBoot != boot.boot else { return }
    let records = try answer { index throws(SystemError) in try index.allRecords() }
    for record in records where record.seen.isEarlier(than: boot) {
      guard case .lease(let owner, let status) = try LeaseFile.look(at: path(of: record.address)),
        record.isSameLease(
          as: LeaseRecord(
            address: record.address, owner: owner, status: status, seen: record.seen))
      else { continue }
      try release(Lease(address: record.address, owner: owner))
    }
    try answer { [boot] index throws(SystemError) in
      try index.note { $0.clearedBoot = boot.boot }
    }
    settle()
  }

  /// Writes what the index has learnt.
  ///
  /// The directory gets its new stamp first, and the index the same stamp last: whatever ends us in
  /// between, the two differ, and the index is not believed. The change itself has altered the
  /// directory's stamp already, so the index need not be disowned beforehand.
  public mutating func settle() {
    guard index.file.isChanged, unreadable == nil else { return }
    do throws(SystemError) {
      if index.file.isInMemory { try SideDirectory.prepare(sideDirectory) }
      let stamp = StoreStamp(replacing: try directory.status())
      try directory.setModified(stamp.modified)
      try index.note { [boot, isFresh] in
        $0.stamp = stamp
        $0.boot = boot.boot
        $0.isFresh = isFresh
      }
      if index.file.isInMemory {
        try writeWholeIndex()
      } else {
        try index.file.write()
      }
    } catch {
      // A full or read-only disk. The stamps differ now, so the next operation reads the files.
      return
    }
  }

  private mutating func writeWholeIndex() throws(SystemError) {
    let file = "\(sideDirectory)/index"
    // Not flushed: after a power cut it is not believed anyway.
    try File.replace(file, with: index.file.image(pageCount: index.pageCount), flushed: false)
    index.file.attach(try File.open(file, for: .updating))
  }
}
