internal import FoundationEssentials
internal import Linux

/// A moment as people and programs write it.
struct Moment {
  private let date: Date

  init(_ stamp: FileStamp) {
    date = Date(
      timeIntervalSince1970: Double(stamp.seconds) + Double(stamp.nanoseconds) / 1_000_000_000)
  }

  private init(_ date: Date) {
    self.date = date
  }

  /// This moment.
  static var now: Moment { Moment(Date()) }

  /// Seconds since 1970.
  var seconds: Int64 { Int64(date.timeIntervalSince1970) }

  /// As RFC 3339 writes it, in UTC.
  var internetText: String { date.formatted(.iso8601) }

  /// How long ago, in the largest unit that fits.
  func age(at now: Moment = .now) -> String {
    let seconds = Int(max(0, now.date.timeIntervalSince(date)))
    return switch seconds {
    case ..<120: "\(seconds) s ago"
    case ..<7200: "\(seconds / 60) min ago"
    case ..<172_800: "\(seconds / 3600) h ago"
    default: "\(seconds / 86400) days ago"
    }
  }
}
