internal import Addressing
internal import Linux

/// What is in the store, without reading the store: who holds what, and which addresses are held.
///
/// It lies beside the leases in a file of fixed layout that is changed in place, a few hundred
/// bytes at a time: a file written anew at each change would make ADD grow with the leases. It may
/// be deleted at any time, for the lease files are the truth. It also remembers in which boot each
/// lease was seen, which no other file does.
///
/// Layout in 64-bit words: a page of header; the table of leases, found by owner; the table of
/// blocks, each a bitmap of 512 neighbouring addresses, found by their common bits. Blocks exist
/// only where addresses are held, so a range may be as wide as IPv6 makes it.
struct LeaseIndex: ~Copyable {
  var file: PagedFile
  private(set) var header: Header

  /// What the first page says.
  struct Header {
    var leaseSlots: Int
    var blockSlots: Int
    var leaseCount = 0
    var blockCount = 0
    /// What the directory bore when this was written.
    var stamp: StoreStamp?
    /// The boot it was written in.
    var boot: UInt64 = 0
    /// The boot whose predecessors have been cleared away.
    var clearedBoot: UInt64 = 0
    /// Whether it comes straight from the files, with no change since.
    var isFresh = false
  }

  var leases: SlotTable {
    SlotTable(
      base: PagedFile.wordsPerPage, width: 8, capacity: header.leaseSlots, keyLength: 1)
  }

  var blocks: SlotTable {
    SlotTable(base: leases.end, width: 16, capacity: header.blockSlots, keyLength: 3)
  }

  /// How many pages the whole file has.
  var pageCount: Int { blocks.end / PagedFile.wordsPerPage }

  /// Begins an empty index in memory, with room for so many leases.
  init(expecting count: Int) {
    file = PagedFile()
    let slots = max(256, Self.powerOfTwo(atLeast: count * 2))
    header = Header(leaseSlots: slots, blockSlots: max(64, slots / 16))
  }

  /// Reads an index, if there is a sane one at a path.
  ///
  /// - Throws: ``SystemError``; the index is useless then, which is no harm.
  static func stored(at path: String) throws(SystemError) -> LeaseIndex? {
    let descriptor = try File.open(path, for: .updating)
    let size = try descriptor.status().size
    var file = PagedFile(reading: descriptor)
    guard let header = Header(words: try file.words(at: 0, count: Header.wordCount)) else {
      return nil
    }
    let index = LeaseIndex(file: file, header: header)
    guard size == index.pageCount * PagedFile.wordsPerPage * 8 else { return nil }
    return index
  }

  private init(file: consuming PagedFile, header: Header) {
    self.file = file
    self.header = header
  }

  /// Changes the header.
  mutating func note(_ change: (inout Header) -> Void) throws(SystemError) {
    change(&header)
    try file.set(header.words, at: 0)
  }

  static func powerOfTwo(atLeast count: Int) -> Int {
    var power = 1
    while power < count { power *= 2 }
    return power
  }
}
