/// Which of the two internet protocols an address belongs to.
public enum IPFamily: Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case v4
  case v6

  /// How many bits an address has: 32 or 128.
  public var bitWidth: Int {
    switch self {
    case .v4: 32
    case .v6: 128
    }
  }

  /// How many bytes an address has: 4 or 16.
  public var byteCount: Int { bitWidth / 8 }

  /// The largest address as a number.
  var allOnes: UInt128 { self == .v4 ? UInt128(UInt32.max) : UInt128.max }

  /// The family's name as people write it.
  public var description: String { self == .v4 ? "IPv4" : "IPv6" }
}
