internal import Glibc

/// A thread for work that blocks for long, or that may leave its thread somewhere else.
///
/// Swift's own threads are as few as the processors; one that waits for a machine to boot would
/// hold up the other tests.
public enum OwnThread {
  /// Does some work on a new thread, which ends with it.
  ///
  /// - Parameter body: the work.
  /// - Returns: what it returned.
  /// - Throws: what it threw.
  public static func run<Product: Sendable>(
    _ body: @escaping @Sendable () throws -> Product
  ) async throws -> Product {
    try await withCheckedThrowingContinuation { continuation in
      start { continuation.resume(with: Result { try body() }) }
    }
  }

  /// Begins some work on a new thread, which ends with it, and waits for nothing.
  public static func start(_ body: @escaping @Sendable () -> Void) {
    let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { errand in
      guard let errand = unsafe errand else { return nil }
      unsafe Unmanaged<Errand>.fromOpaque(errand).takeRetainedValue().work()
      return nil
    }
    var thread = pthread_t()
    let created = unsafe pthread_create(
      &thread, nil, start, Unmanaged.passRetained(Errand(body)).toOpaque())
    precondition(created == 0, "no thread for a test")
    pthread_detach(thread)
  }
}

/// The work of a thread, on its way there.
private final class Errand: Sendable {
  let work: @Sendable () -> Void
  init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}
