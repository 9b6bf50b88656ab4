internal import Glibc

/// The wishes to stop that reach a process while it has something to put in order first.
public enum DeferredSignals {
  /// Does some work that must not be cut short by Ctrl-C, a hang-up or a polite kill.
  ///
  /// A signal that comes meanwhile takes effect when the work is done. Programs that are started
  /// get theirs at once.
  ///
  /// Kernel name: `SIGINT`, `SIGHUP` and `SIGTERM`, blocked for the calling thread.
  ///
  /// - Parameter body: the work.
  /// - Returns: what the work returns.
  /// - Throws: what the work throws.
  public static func during<Product, Failure: Error>(
    _ body: () throws(Failure) -> Product
  ) throws(Failure) -> Product {
    var stops = sigset_t()
    var before = sigset_t()
    unsafe sigemptyset(&stops)
    for number in [SIGINT, SIGHUP, SIGTERM] { unsafe sigaddset(&stops, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &stops, &before)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
    return try body()
  }
}
