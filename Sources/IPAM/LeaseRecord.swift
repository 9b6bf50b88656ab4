internal import Addressing
internal import Linux

/// What the index keeps of one lease.
struct LeaseRecord: Hashable {
  let address: IPAddress
  /// The owner, as a hash.
  let owner: UInt64
  /// Which file it was: inode and time of change, to tell it from a later one of the same name.
  let inode: UInt64
  let modified: UInt64
  /// When and where it was first seen.
  let seen: BootStamp

  /// What is to be kept of a lease file.
  init(address: IPAddress, owner: LeaseOwner, status: FileStatus, seen: BootStamp) {
    self.address = address
    self.owner = Self.hash(of: owner)
    inode = status.identity.inode
    modified = UInt64(
      truncatingIfNeeded: status.modified.seconds &* 1_000_000_000 &+ status.modified.nanoseconds)
    self.seen = seen
  }

  private init(_ record: LeaseRecord, seen: BootStamp) {
    address = record.address
    owner = record.owner
    inode = record.inode
    modified = record.modified
    self.seen = seen
  }

  /// The same lease, seen elsewhere.
  func seen(_ stamp: BootStamp) -> LeaseRecord { LeaseRecord(self, seen: stamp) }

  /// Whether both speak of the same file with the same owner.
  func isSameLease(as other: LeaseRecord) -> Bool {
    seen(other.seen) == other
  }

  static func hash(of owner: LeaseOwner) -> UInt64 {
    IndexHash.of(owner.interface.map { "\(owner.container)\n\($0)" } ?? owner.container)
  }

  /// The record as a slot.
  var words: [UInt64] {
    [
      owner, address.highWord, address.lowWord, address.familyWord, inode, modified, seen.machine,
      seen.boot,
    ]
  }

  /// Reads a slot; nil when it holds no address.
  init?(words: ArraySlice<UInt64>) {
    let words = Array(words)
    guard let address = IPAddress(high: words[1], low: words[2], family: words[3]) else {
      return nil
    }
    self.address = address
    owner = words[0]
    inode = words[4]
    modified = words[5]
    seen = BootStamp(machine: words[6], boot: words[7])
  }
}

extension IPAddress {
  var highWord: UInt64 { UInt64(truncatingIfNeeded: bits >> 64) }
  var lowWord: UInt64 { UInt64(truncatingIfNeeded: bits) }
  var familyWord: UInt64 { family == .v4 ? 4 : 6 }

  fileprivate init?(high: UInt64, low: UInt64, family: UInt64) {
    let bits = UInt128(high) << 64 | UInt128(low)
    switch family {
    case 4: self.init(bits: bits, family: .v4)
    case 6: self.init(bits: bits, family: .v6)
    default: return nil
    }
  }
}
