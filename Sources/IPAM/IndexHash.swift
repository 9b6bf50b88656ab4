/// Hashes that stay the same from one process to the next, which Swift's `Hasher` does not.
///
/// They only find; what was found is compared. So a plain one will do.
enum IndexHash {
  /// The hash of a text: FNV-1a, mixed once more so that the low bits are good; never 0.
  static func of(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return mixed(hash)
  }

  /// The hash of a few numbers; never 0.
  static func of(_ words: ArraySlice<UInt64>) -> UInt64 {
    words.reduce(0x9e37_79b9_7f4a_7c15) { mixed($0 ^ $1) }
  }

  /// Spreads every bit over the whole word; 0 is kept free to mean "nothing here".
  private static func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word ^= word >> 33
    word = word &* 0xff51_afd7_ed55_8ccd
    word ^= word >> 33
    word = word &* 0xc4ce_b9fe_1a85_ec53
    word ^= word >> 33
    return word == 0 ? 1 : word
  }
}
