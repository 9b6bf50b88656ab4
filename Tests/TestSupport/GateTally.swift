internal import Synchronization
public import Testing

/// Counts the points that are tried on ours, and records an issue for each that goes wrong.
///
/// For many threads at once. What is tried on upstream's plugins is counted by hand, since their
/// failures fail no test.
public final class GateTally: Sendable {
  private let counts = Mutex(GateFigures(tried: 0, failed: 0))

  /// Counts from nothing.
  public init() {}

  /// The counts so far.
  public var figures: GateFigures { counts.withLock { $0 } }

  /// One more was tried.
  ///
  /// - Parameters:
  ///   - isGood: whether all went as it must.
  ///   - comment: what the issue says if not.
  ///   - sourceLocation: where the issue is.
  public func point(
    _ isGood: Bool, _ comment: @autoclosure () -> Comment,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    counts.withLock { counts in
      counts.tried += 1
      if !isGood { counts.failed += 1 }
    }
    if !isGood { Issue.record(comment(), sourceLocation: sourceLocation) }
  }
}
