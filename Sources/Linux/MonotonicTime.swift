internal import CLinux
internal import Glibc

/// A moment on the clock that only goes forward.
///
/// The standard library's clocks live in the concurrency module, which `cni` does without.
///
/// Kernel name: `CLOCK_MONOTONIC`.
public struct MonotonicTime: Comparable, Hashable, Sendable {
  private let sinceBoot: Duration

  private init(sinceBoot: Duration) {
    self.sinceBoot = sinceBoot
  }

  /// This moment.
  public static var now: MonotonicTime {
    var time = timespec()
    // Cannot fail: the clock exists on every Linux, and the pointer is good.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(sinceBoot: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
  }

  /// Lets some time pass.
  ///
  /// A signal does not shorten it.
  ///
  /// Kernel name: `nanosleep`.
  public static func sleep(for duration: Duration) {
    let milliseconds = duration.milliseconds
    var rest = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var remaining = timespec()
    while unsafe nanosleep(&rest, &remaining) == -1, Errno.current == .interrupted {
      rest = remaining
    }
  }

  /// The earlier moment is the smaller one.
  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.sinceBoot < right.sinceBoot
  }

  /// A moment some time after another.
  public static func + (moment: MonotonicTime, duration: Duration) -> MonotonicTime {
    MonotonicTime(sinceBoot: moment.sinceBoot + duration)
  }

  /// How long it is from one moment to another.
  public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
    left.sinceBoot - right.sinceBoot
  }
}

extension Duration {
  /// Whole milliseconds, rounded up, so that waiting that long is never waiting too short.
  package var milliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(seconds) * 1000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
