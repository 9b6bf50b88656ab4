internal import CLinux
internal import Glibc

/// The polite requests to end, as bytes to read: for a daemon that waits for many things at once.
///
/// From the moment a value is made, `SIGINT` and `SIGTERM` end nothing by themselves.
///
/// Kernel name: `signalfd`.
public struct StopSignals: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Blocks the signals for the calling thread and collects them.
  ///
  /// - Throws: ``SystemError``.
  public init() throws(SystemError) {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in [SIGINT, SIGTERM] { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let number = try Syscall.check("signalfd") {
      unsafe signalfd(-1, &set, Int32(CNI_SFD_CLOEXEC))
    }
    descriptor = OwnedDescriptor(adopting: number)
  }

  /// Readable as soon as one of the signals has come.
  public var readiness: Readiness.Wish { Readiness.Wish(descriptor.rawValue) }
}
