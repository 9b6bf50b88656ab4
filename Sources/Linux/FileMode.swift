/// Who may do what with a file: the low twelve bits of its mode.
public struct FileMode: RawRepresentable, ExpressibleByIntegerLiteral, Hashable, Sendable {
  /// The bits, as `chmod` counts them.
  public let rawValue: UInt32

  /// Keeps the permission bits of any mode.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue & 0o7777
  }

  /// Written as an octal literal, such as `0o600`.
  public init(integerLiteral value: UInt32) {
    self.init(rawValue: value)
  }
}
