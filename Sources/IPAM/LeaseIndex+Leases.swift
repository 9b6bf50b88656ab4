internal import Addressing
internal import Linux

extension LeaseIndex {
  /// The records of owners with this hash: mostly one owner's, never fewer.
  mutating func records(ofOwner hash: UInt64) throws(SystemError) -> [LeaseRecord] {
    try leases.slots(beginningWith: [hash], in: &file).compactMap { LeaseRecord(words: $0.words) }
  }

  /// All records.
  mutating func allRecords() throws(SystemError) -> [LeaseRecord] {
    var records: [LeaseRecord] = []
    try leases.forEach(in: &file) { words in
      if let record = LeaseRecord(words: words) { records.append(record) }
    }
    return records
  }

  /// Adds a lease, and marks its address as held.
  mutating func insert(_ record: LeaseRecord) throws(SystemError) {
    if leases.isCrowded(by: header.leaseCount + 1) { try grow() }
    try leases.insert(record.words, in: &file)
    try note { $0.leaseCount += 1 }
    try hold(record.address)
  }

  /// Drops a lease, if it is here, and marks its address as free.
  mutating func remove(_ address: IPAddress, ofOwner hash: UInt64) throws(SystemError) {
    let key = [hash, address.highWord, address.lowWord, address.familyWord]
    if let found = try leases.slots(beginningWith: key, in: &file).first {
      try leases.remove(found.slot, in: &file)
      try note { $0.leaseCount -= 1 }
    }
    try free(address)
  }

  /// Copies everything into a larger index in memory; it is written as a whole when settled.
  mutating func grow() throws(SystemError) {
    var larger = LeaseIndex(expecting: max(header.leaseCount, header.blockCount * 16) * 2)
    try larger.note { [header] new in
      new.leaseCount = header.leaseCount
      new.blockCount = header.blockCount
      new.stamp = header.stamp
      new.boot = header.boot
      new.clearedBoot = header.clearedBoot
    }
    let (newLeases, newBlocks) = (larger.leases, larger.blocks)
    try leases.forEach(in: &file) { words throws(SystemError) in
      try newLeases.insert(Array(words), in: &larger.file)
    }
    try blocks.forEach(in: &file) { words throws(SystemError) in
      try newBlocks.insert(Array(words), in: &larger.file)
    }
    self = larger
  }
}
