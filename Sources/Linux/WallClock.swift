internal import Glibc

/// The time of day, which somebody may set.
///
/// Kernel name: `CLOCK_REALTIME`.
public enum WallClock {
  /// This moment in UTC, to the microsecond: `2026-11-22T01:15:02.123456Z`.
  ///
  /// RFC 3339
  public static func text() -> String {
    var time = timespec()
    // Cannot fail: the clock exists on every Linux, and the pointer is good.
    _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
    var parts = unsafe tm()
    _ = unsafe gmtime_r(&time.tv_sec, &parts)
    func digits(_ number: Int, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
    let date = unsafe [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)]
    let clock = unsafe [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)]
    return date.map { digits($0, 2) }.joined(separator: "-") + "T"
      + clock.map { digits($0, 2) }.joined(separator: ":") + "."
      + digits(time.tv_nsec / 1000, 6) + "Z"
  }
}
