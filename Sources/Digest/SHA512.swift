/// The hash function SHA-512.
///
/// Names of chains, links and containers are made of it. It is our own because upstream's names
/// must come out the same, and nothing that `cni` is linked with offers it.
///
/// FIPS 180-4, section 6.4
public struct SHA512: Sendable {
  private var state = Self.initialState
  private var pending: [UInt8] = []
  private var byteCount: UInt128 = 0

  private static let blockSize = 128

  /// Begins with nothing hashed.
  public init() {}

  /// Appends bytes to the message.
  ///
  /// For one type only: what is generic in another module is put together by the runtime at its
  /// first use, which takes a short-lived process longer than the hash.
  public mutating func update(_ bytes: [UInt8]) {
    pending.append(contentsOf: bytes)
    byteCount += UInt128(bytes.count)

    var start = 0
    while pending.count - start >= Self.blockSize {
      absorb(pending[start..<start + Self.blockSize])
      start += Self.blockSize
    }
    pending.removeFirst(start)
  }

  /// Appends a text's bytes to the message.
  public mutating func update(_ text: String.UTF8View) { update(Array(text)) }

  /// Ends the message and gives its 64 bytes of digest.
  public consuming func finalize() -> [UInt8] {
    let bitCount = byteCount * 8
    pending.append(0x80)
    while pending.count % Self.blockSize != Self.blockSize - 16 { pending.append(0) }
    for shift in stride(from: 120, through: 0, by: -8) {
      pending.append(UInt8(truncatingIfNeeded: bitCount >> shift))
    }
    for start in stride(from: 0, to: pending.count, by: Self.blockSize) {
      absorb(pending[start..<start + Self.blockSize])
    }
    return state.flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
  }

  /// The first `n` hexadecimal digits of a text's digest, in lower case.
  public static func hex(_ text: String, prefix n: Int) -> String {
    var hash = SHA512()
    hash.update(text.utf8)
    return hash.hex(prefix: n)
  }

  /// Ends the message and gives the first `n` hexadecimal digits of its digest, in lower case.
  public consuming func hex(prefix n: Int) -> String {
    var digits: [UInt8] = []
    for byte in finalize() {
      for value in [byte >> 4, byte & 15] {
        digits.append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
      }
    }
    return String(decoding: digits.prefix(n), as: UTF8.self)
  }

  /// Mixes one block into the state (FIPS 180-4, section 6.4.2).
  private mutating func absorb(_ block: ArraySlice<UInt8>) {
    var schedule = [UInt64](repeating: 0, count: 80)
    for (index, byte) in block.enumerated() {
      schedule[index / 8] = schedule[index / 8] << 8 | UInt64(byte)
    }
    for t in 16..<80 {
      let (early, late) = (schedule[t - 15], schedule[t - 2])
      let sigma0 = early.rotated(by: 1) ^ early.rotated(by: 8) ^ early >> 7
      let sigma1 = late.rotated(by: 19) ^ late.rotated(by: 61) ^ late >> 6
      schedule[t] = sigma1 &+ schedule[t - 7] &+ sigma0 &+ schedule[t - 16]
    }

    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for t in 0..<80 {
      let sum1 = e.rotated(by: 14) ^ e.rotated(by: 18) ^ e.rotated(by: 41)
      let choice = (e & f) ^ (~e & g)
      let first = h &+ sum1 &+ choice &+ Self.roundConstants[t] &+ schedule[t]
      let sum0 = a.rotated(by: 28) ^ a.rotated(by: 34) ^ a.rotated(by: 39)
      let majority = (a & b) ^ (a & c) ^ (b & c)
      (h, g, f, e) = (g, f, e, d &+ first)
      (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
    }
    for (index, word) in [a, b, c, d, e, f, g, h].enumerated() {
      state[index] = state[index] &+ word
    }
  }
}

extension UInt64 {
  /// The word with its bits turned to the right.
  fileprivate func rotated(by n: Int) -> UInt64 { self >> n | self << (64 - n) }
}
