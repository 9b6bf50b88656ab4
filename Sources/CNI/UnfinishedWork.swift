internal import Synchronization

/// What a request has begun and must have ended before the runtime is told of success.
///
/// Shared by a request and those it makes for delegates in this program.
final class UnfinishedWork: Sendable {
  typealias Ending = @Sendable () throws(ProtocolError) -> Void

  private let endings = Mutex<[Ending]>([])

  func add(_ ending: @escaping Ending) { endings.withLock { $0.append(ending) } }

  /// Waits for all of it.
  ///
  /// - Throws: ``ProtocolError`` of the first that fails.
  func finish() throws(ProtocolError) {
    for ending in endings.withLock({ $0 }) { try ending() }
  }
}

extension Request {
  /// Has something waited for when all else is done, and before the runtime is told of success.
  ///
  /// It is for what takes its time elsewhere, on a disk for one, while plugins work on. If it fails,
  /// the whole ADD fails and is taken back.
  ///
  /// - Parameter ending: waits for it, and throws when it has failed.
  public func beforeAnswer(
    _ ending: @escaping @Sendable () throws(ProtocolError) -> Void
  ) { delegation.unfinished.add(ending) }
}
