/// Random numbers that a seed brings back, so that a failure can be had again.
public struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  /// The numbers of a seed.
  public init(seed: UInt64) { state = seed }

  /// The next one; SplitMix64.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }

  /// Yes so many times in a hundred.
  public mutating func chance(_ percent: Int) -> Bool { number(below: 100) < percent }

  /// A number from 0 to one less than the limit.
  public mutating func number(below limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

  /// One of a list that is not empty.
  public mutating func pick<Element>(_ list: [Element]) -> Element {
    list[number(below: list.count)]
  }
}
