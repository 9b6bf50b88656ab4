internal import Linux

/// A hash table of fixed slots within a paged file: open addressing, the next slot when one is
/// taken.
///
/// A removed slot is filled by those that had to move on because of it, so nothing dead piles up
/// and a lookup stays short however many leases have come and gone.
struct SlotTable {
  /// Where the first slot is, in words.
  let base: Int
  /// Words in a slot; divides a page, so that a slot never lies in two.
  let width: Int
  /// How many slots; a power of two.
  let capacity: Int
  /// How many words at a slot's beginning say where it belongs; the first is 0 in an empty slot.
  let keyLength: Int

  /// A slot that is not empty, and what it holds.
  struct Entry {
    let slot: Int
    let words: ArraySlice<UInt64>
  }

  /// Where the words after the last slot begin.
  var end: Int { base + capacity * width }

  /// Whether one more entry would make lookups long.
  func isCrowded(by count: Int) -> Bool { count * 4 >= capacity * 3 }

  /// The slots whose first words are these, with their whole content.
  ///
  /// The words are those of the key, and further ones where a key occurs several times.
  func slots(
    beginningWith key: [UInt64], in file: inout PagedFile
  ) throws(SystemError) -> [Entry] {
    var found: [Entry] = []
    var slot = home(of: key[...])
    for _ in 0..<capacity {
      let words = try file.words(at: offset(slot), count: width)
      guard words.first != 0 else { return found }
      if words.starts(with: key) { found.append(Entry(slot: slot, words: words)) }
      slot = next(slot)
    }
    throw fault
  }

  /// Fills the first free slot.
  func insert(_ words: [UInt64], in file: inout PagedFile) throws(SystemError) {
    var slot = home(of: words[...])
    for _ in 0..<capacity {
      if try file.word(at: offset(slot)) == 0 {
        try file.set(words, at: offset(slot))
        return
      }
      slot = next(slot)
    }
    throw fault
  }

  /// Overwrites a slot without changing its key.
  func update(_ slot: Int, to words: [UInt64], in file: inout PagedFile) throws(SystemError) {
    try file.set(words, at: offset(slot))
  }

  /// Empties a slot, and moves those that were pushed on by it nearer to their place.
  func remove(_ slot: Int, in file: inout PagedFile) throws(SystemError) {
    var hole = slot
    var candidate = next(slot)
    for _ in 0..<capacity {
      let words = try file.words(at: offset(candidate), count: width)
      guard words.first != 0 else {
        try file.set(repeatElement(0, count: width), at: offset(hole))
        return
      }
      // It may move if its home is not between the hole and itself.
      let way = distance(from: home(of: words), to: candidate)
      if way >= distance(from: hole, to: candidate) {
        try file.set(words, at: offset(hole))
        hole = candidate
      }
      candidate = next(candidate)
    }
    throw fault
  }

  /// Hands over the content of every slot that is not empty.
  func forEach(
    in file: inout PagedFile, _ body: (ArraySlice<UInt64>) throws(SystemError) -> Void
  ) throws(SystemError) {
    for slot in 0..<capacity {
      let words = try file.words(at: offset(slot), count: width)
      if words.first != 0 { try body(words) }
    }
  }

  private func offset(_ slot: Int) -> Int { base + slot * width }

  private func next(_ slot: Int) -> Int { (slot + 1) & (capacity - 1) }

  private func distance(from start: Int, to end: Int) -> Int { (end - start) & (capacity - 1) }

  private func home(of words: ArraySlice<UInt64>) -> Int {
    Int(truncatingIfNeeded: IndexHash.of(words.prefix(keyLength))) & (capacity - 1)
  }

  /// A table without an empty slot cannot have been written by us.
  private var fault: SystemError {
    SystemError(operation: "look up", subject: "index", errno: .inputOutput)
  }
}
