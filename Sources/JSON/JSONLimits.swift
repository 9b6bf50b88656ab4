/// How much a text may ask of its reader.
public struct JSONLimits: Hashable, Sendable {
  /// The longest text, in bytes.
  public var bytes: Int
  /// How many lists and objects may stand inside each other.
  public var depth: Int

  /// Limits of one's own.
  public init(bytes: Int, depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  /// Limits for what a container runtime sends: 4 MiB, and 256 levels.
  ///
  /// Configurations are a few levels deep. The parser is recursive, so the depth also bounds the
  /// stack that a hostile text can take.
  public static let standard = JSONLimits(bytes: 4 << 20, depth: 256)
}
