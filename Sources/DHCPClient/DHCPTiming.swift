/// How patient a client is.
public struct DHCPTiming: Hashable, Sendable {
  /// How long one request waits for its answer before the client begins anew.
  public var exchange: Duration
  /// The longest pause between two tries.
  public var longestPause: Duration
  /// How long the first lease may take altogether.
  public var acquisition: Duration

  /// Upstream's times by default.
  public init(
    exchange: Duration = .seconds(10), longestPause: Duration = .seconds(62),
    acquisition: Duration = .seconds(208)
  ) {
    self.exchange = exchange
    self.longestPause = longestPause
    self.acquisition = acquisition
  }

  /// The pause after the very first request: a link that has just come up, or the port of a bridge
  /// at its other end, loses frames.
  static let firstPause = Duration.milliseconds(300)

  /// The pause after a try, spread so that clients that start together do not stay together.
  ///
  /// RFC 2131, section 4.1: 4 seconds, doubled each time, each with up to a second more or less.
  ///
  /// - Parameter attempt: how many tries there have been before this one.
  /// - Returns: how long to wait.
  func pause(after attempt: Int) -> Duration {
    let base = min(.seconds(4), exchange)
    let pause = min(base * (1 << min(attempt, 8)), longestPause)
    let spread = min(.seconds(1), pause / 4)
    return max(.milliseconds(10), pause + spread * Double.random(in: -1...1))
  }
}
