extension LeaseIndex.Header {
  static let wordCount = 16

  /// "swift-cni lease index", version 1, in eight bytes; also says that the byte order is ours.
  private static let magic: UInt64 = 0x3158_5344_4953_4353

  /// Reads a header; nil when it is not one, or not of this version.
  init?(words: ArraySlice<UInt64>) {
    let words = Array(words)
    guard words[0] == Self.magic,
      let leaseSlots = Self.slotCount(words[1]), let blockSlots = Self.slotCount(words[2]),
      let leaseCount = Int(exactly: words[3]), leaseCount < leaseSlots,
      let blockCount = Int(exactly: words[4]), blockCount < blockSlots
    else { return nil }
    self.leaseSlots = leaseSlots
    self.blockSlots = blockSlots
    self.leaseCount = leaseCount
    self.blockCount = blockCount
    boot = words[5]
    clearedBoot = words[6]
    stamp = Self.stamp(words[7..<10])
    isFresh = words[10] == 1
  }

  /// The header as it is written.
  var words: [UInt64] {
    let none: [UInt64] = [0, 0, 0]
    let words =
      [
        Self.magic, UInt64(leaseSlots), UInt64(blockSlots), UInt64(leaseCount),
        UInt64(blockCount), boot, clearedBoot,
      ] + (stamp?.words ?? none) + [isFresh ? 1 : 0]
    return words + [UInt64](repeating: 0, count: Self.wordCount - words.count)
  }

  private static func slotCount(_ word: UInt64) -> Int? {
    // 2^26 leases are more than any directory bears.
    guard (64...1 << 26).contains(word), word.nonzeroBitCount == 1 else { return nil }
    return Int(word)
  }

  private static func stamp(_ words: ArraySlice<UInt64>) -> StoreStamp? {
    words.allSatisfy { $0 == 0 } ? nil : StoreStamp(words: words)
  }
}
