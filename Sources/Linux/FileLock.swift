internal import CLinux
internal import Glibc

/// A lock that all processes taking it on the same file share; free again when this value goes.
///
/// The file stays. A process that dies loses its locks.
///
/// Waiting is done in the kernel, in its queue: whoever is next gets the lock at once, and nobody
/// polls. `flock` knows no time-out, so a timer ends the wait with a signal to this thread alone.
/// A signal that comes just before the call is lost, so the timer goes on ticking. No timer is
/// made when the lock is free.
///
/// Kernel name: `flock` with `LOCK_EX`.
public struct FileLock: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Takes the lock, waiting while another has it.
  ///
  /// - Parameters:
  ///   - path: the lock file; it is made, empty, if it is missing, and never through a link.
  ///   - mode: the mode of a file that is made, before the umask.
  ///   - timeout: how long to wait at most.
  /// - Throws: ``FileLockError``; `timedOut` names who had the lock at the end.
  public init(
    at path: String, mode: FileMode = 0o600, timeout: Duration
  ) throws(FileLockError) {
    do throws(SystemError) {
      let opened = try FileLock.open(path, mode: mode)
      let isTaken = try FileLock.take(opened, path, timeout: timeout)
      if isTaken {
        descriptor = opened
        return
      }
    } catch {
      throw .system(error)
    }
    throw .timedOut(path: path, holder: LockHolder.describe(path))
  }

  /// Takes the lock on a network namespace, waiting while another has it.
  ///
  /// It is one lock for all who come to the namespace, by whatever path.
  ///
  /// - Parameters:
  ///   - namespace: the namespace.
  ///   - timeout: how long to wait at most.
  /// - Throws: ``FileLockError``; `timedOut` names who had the lock at the end.
  public init(
    on namespace: borrowing NetworkNamespace, timeout: Duration
  ) throws(FileLockError) {
    let identity: FileIdentity
    do throws(SystemError) {
      identity = try namespace.identity()
      let opened = try FileLock.reopen(namespace)
      if try FileLock.take(opened, namespace.path, timeout: timeout) {
        descriptor = opened
        return
      }
    } catch {
      throw .system(error)
    }
    throw .timedOut(path: namespace.path, holder: LockHolder.describe(identity))
  }

  /// Opens a namespace once more: locks go with openings, and that one may be lent to others.
  private static func reopen(
    _ namespace: borrowing NetworkNamespace
  ) throws(SystemError) -> OwnedDescriptor {
    let way = "/proc/self/fd/\(namespace.descriptor.rawValue)"
    return OwnedDescriptor(
      adopting: try Syscall.check("open", namespace.path) {
        unsafe Glibc.open(way, O_RDONLY | O_CLOEXEC)
      })
  }

  private static func open(
    _ path: String, mode: FileMode
  ) throws(SystemError) -> OwnedDescriptor {
    // Read-only, as upstream opens it, so that a lock file made by its mode will do.
    let flags = O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
    return OwnedDescriptor(
      adopting: try Syscall.check("open", path) {
        unsafe Glibc.open(path, flags, mode_t(mode.rawValue))
      })
  }

  private static func take(
    _ descriptor: borrowing OwnedDescriptor, _ path: String, timeout: Duration
  ) throws(SystemError) -> Bool {
    let number = descriptor.rawValue
    if flock(number, LOCK_EX | LOCK_NB) == 0 { return true }
    guard Errno.current == .tryAgain else { throw lockError(path) }
    guard timeout > .zero else { return false }

    let deadline = MonotonicTime.now + timeout
    var timer: UnsafeMutableRawPointer?
    try Syscall.check("timer_create", path) {
      unsafe cni_start_ticks(&timer, Int(timeout.milliseconds), 50)
    }
    defer { unsafe cni_stop_ticks(timer) }
    // Not `Syscall.check`: here the interruption is the answer.
    while flock(number, LOCK_EX) == -1 {
      guard Errno.current == .interrupted else { throw lockError(path) }
      if MonotonicTime.now >= deadline { return false }
    }
    return true
  }

  private static func lockError(_ path: String) -> SystemError {
    SystemError(operation: "flock", subject: path, errno: .current)
  }
}
