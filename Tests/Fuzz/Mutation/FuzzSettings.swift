internal import Linux

/// What the one who runs the tests wishes of those that are random.
public enum FuzzSettings {
  /// The seed to begin with: `SWIFT_CNI_SEED`, so that a failure can be had again.
  public static let seed = number("SWIFT_CNI_SEED").map { UInt64(bitPattern: Int64($0)) }

  /// How much is tried: the usual amount, or that of `SWIFT_CNI_ROUNDS`.
  ///
  /// - Parameter usual: what fits into CI; 1 if a seed is named, which stands for one round.
  /// - Returns: the number of rounds.
  public static func rounds(_ usual: Int) -> Int {
    number("SWIFT_CNI_ROUNDS") ?? (seed == nil ? usual : 1)
  }

  /// The variable's value as a number.
  private static func number(_ name: String) -> Int? {
    Environment.current()[name].flatMap { Int($0) }
  }
}
