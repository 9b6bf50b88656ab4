internal import Addressing
internal import Linux

extension LeaseIndex {
  /// Addresses in a block; their bits are words 4 to 11 of its slot.
  private static let blockSize = 512
  private static let bitmap = 4

  /// The lowest address of a run that is not held.
  mutating func firstFree(in run: ClosedRange<IPAddress>) throws(SystemError) -> IPAddress? {
    let last = run.upperBound.bits
    var candidate = run.lowerBound.bits
    while candidate <= last {
      let address = IPAddress(bits: candidate, family: run.lowerBound.family)
      guard let block = try block(of: address) else { return address }
      if let bit = Self.firstClear(in: block.words, from: Int(candidate % 512)) {
        let found = candidate - candidate % 512 + UInt128(bit)
        return found <= last ? IPAddress(bits: found, family: address.family) : nil
      }
      let (next, isBeyond) = (candidate - candidate % 512).addingReportingOverflow(512)
      if isBeyond { return nil }
      candidate = next
    }
    return nil
  }

  /// How many addresses of a run are held.
  mutating func heldCount(in run: ClosedRange<IPAddress>) throws(SystemError) -> UInt128 {
    let (low, high) = (run.lowerBound.bits, run.upperBound.bits)
    var count = 0
    // The run may be wider than all memory, while the blocks that exist are few.
    if high / 512 - low / 512 > UInt128(header.blockSlots) {
      try blocks.forEach(in: &file) { words in
        guard words.first == run.lowerBound.familyWord else { return }
        count += Self.heldCount(in: words, from: low, through: high)
      }
      return UInt128(count)
    }
    for number in (low / 512)...(high / 512) {
      let address = IPAddress(bits: number * 512, family: run.lowerBound.family)
      if let block = try block(of: address) {
        count += Self.heldCount(in: block.words, from: low, through: high)
      }
    }
    return UInt128(count)
  }

  private static func heldCount(
    in words: ArraySlice<UInt64>, from low: UInt128, through high: UInt128
  ) -> Int {
    let words = Array(words)
    let first = (UInt128(words[1]) << 64 | UInt128(words[2])) << 9
    return (0..<blockSize).count { bit in
      words[bitmap + bit / 64] >> UInt64(bit % 64) & 1 == 1
        && (low...high).contains(first + UInt128(bit))
    }
  }

  /// Marks an address as held.
  mutating func hold(_ address: IPAddress) throws(SystemError) {
    let (word, bit) = Self.place(of: address)
    if let block = try block(of: address) {
      var words = Array(block.words)
      words[word] |= bit
      try blocks.update(block.slot, to: words, in: &file)
      return
    }
    if blocks.isCrowded(by: header.blockCount + 1) { try grow() }
    var words = Self.key(of: address) + [UInt64](repeating: 0, count: 13)
    words[word] |= bit
    try blocks.insert(words, in: &file)
    try note { $0.blockCount += 1 }
  }

  /// Marks an address as free; a block without held addresses goes.
  mutating func free(_ address: IPAddress) throws(SystemError) {
    guard let block = try block(of: address) else { return }
    let (word, bit) = Self.place(of: address)
    var words = Array(block.words)
    words[word] &= ~bit
    if words[Self.bitmap...].allSatisfy({ $0 == 0 }) {
      try blocks.remove(block.slot, in: &file)
      try note { $0.blockCount -= 1 }
    } else {
      try blocks.update(block.slot, to: words, in: &file)
    }
  }

  private mutating func block(
    of address: IPAddress
  ) throws(SystemError) -> SlotTable.Entry? {
    try blocks.slots(beginningWith: Self.key(of: address), in: &file).first
  }

  private static func key(of address: IPAddress) -> [UInt64] {
    let number = address.bits >> 9
    return [
      address.familyWord, UInt64(truncatingIfNeeded: number >> 64),
      UInt64(truncatingIfNeeded: number),
    ]
  }

  private static func place(of address: IPAddress) -> (word: Int, bit: UInt64) {
    let position = Int(address.bits % 512)
    return (bitmap + position / 64, UInt64(1) << UInt64(position % 64))
  }

  private static func firstClear(in words: ArraySlice<UInt64>, from start: Int) -> Int? {
    let base = words.startIndex + bitmap
    for word in (start / 64)..<(blockSize / 64) {
      // What lies before the start counts as held.
      let before = word == start / 64 ? (UInt64(1) << UInt64(start % 64)) - 1 : 0
      let held = words[base + word] | before
      if held != .max { return word * 64 + (~held).trailingZeroBitCount }
    }
    return nil
  }
}
