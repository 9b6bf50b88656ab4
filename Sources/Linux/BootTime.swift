internal import Glibc

/// A moment on the clock that also goes on while the machine sleeps.
///
/// What is promised for a time, such as the lease of an address, runs out during a suspend too. The
/// number means the same to every process until the next boot, so it can be written to a file.
///
/// Kernel name: `CLOCK_BOOTTIME`.
public struct BootTime: Comparable, Hashable, Sendable {
  /// How long the machine has been running at that moment.
  public let sinceBoot: Duration

  /// The moment that long after the start.
  public init(sinceBoot: Duration) {
    self.sinceBoot = sinceBoot
  }

  /// This moment.
  public static var now: BootTime {
    var time = timespec()
    // Cannot fail: the clock exists on every Linux, and the pointer is good.
    _ = unsafe clock_gettime(CLOCK_BOOTTIME, &time)
    return BootTime(sinceBoot: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
  }

  /// The earlier moment is the smaller one.
  public static func < (left: BootTime, right: BootTime) -> Bool {
    left.sinceBoot < right.sinceBoot
  }

  /// A moment some time after another.
  public static func + (moment: BootTime, duration: Duration) -> BootTime {
    BootTime(sinceBoot: moment.sinceBoot + duration)
  }

  /// How long it is from one moment to another.
  public static func - (left: BootTime, right: BootTime) -> Duration {
    left.sinceBoot - right.sinceBoot
  }
}
