/// How fast bytes may pass.
///
/// Configurations speak of bits per second and the kernel of bytes; a value of this type is neither
/// until it is asked for one of them.
public struct ByteRate: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Bytes in one second.
  public let bytesPerSecond: UInt64

  /// A rate in bytes per second.
  public init(bytesPerSecond: UInt64) {
    self.bytesPerSecond = bytesPerSecond
  }

  /// A rate in bits per second; a part of a byte is dropped.
  public init(bitsPerSecond: UInt64) {
    self.init(bytesPerSecond: bitsPerSecond / 8)
  }

  /// How many whole bytes pass in some time.
  public func bytes(in time: Duration) -> UInt64 {
    let (seconds, attoseconds) = time.components
    let whole = Double(seconds) + Double(attoseconds) / 1e18
    return UInt64(clampingDown: Double(bytesPerSecond) * whole)
  }

  /// How long so many bytes take, in the ticks by which traffic control counts; nil when a tick
  /// counter cannot hold it.
  ///
  /// A tick is 64 nanoseconds. Whole microseconds are counted first, as `tc` and upstream do, so that
  /// either reads the same from what the other has written.
  ///
  /// Kernel name: `PSCHED_SHIFT`; `/proc/net/psched` tells it too, but it has been the same since
  /// 2.6.31.
  func ticks(for bytes: UInt32) -> UInt32? {
    guard bytesPerSecond > 0 else { return nil }
    let microseconds = UInt64(
      clampingDown: Double(bytes) * 1_000_000 / Double(bytesPerSecond))
    return UInt32(exactly: microseconds / 8 * 125 + microseconds % 8 * 125 / 8)
  }

  /// Whether the left one is slower.
  public static func < (left: ByteRate, right: ByteRate) -> Bool {
    left.bytesPerSecond < right.bytesPerSecond
  }

  /// As in "125000 B/s".
  public var description: String { "\(bytesPerSecond) B/s" }
}

extension UInt64 {
  /// A number without its fraction; the greatest there is if it is beyond that.
  fileprivate init(clampingDown number: Double) {
    self = number < 0x1p64 ? UInt64(number) : .max
  }
}
