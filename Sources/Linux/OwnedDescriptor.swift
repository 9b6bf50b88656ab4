internal import Glibc

/// A file descriptor that closes itself when its owner goes.
///
/// Changes nothing when it is made; the descriptor must be open and must belong to nobody else.
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The kernel's number; valid only as long as this value lives.
  public let rawValue: Int32

  /// Takes over a descriptor that nobody else will close.
  public init(adopting rawValue: Int32) {
    self.rawValue = rawValue
  }

  deinit {
    // A `deinit` has nobody to tell; whoever cares about a failed close calls `close()`.
    _ = Glibc.close(rawValue)
  }

  /// Closes the descriptor and tells whether that went well.
  ///
  /// The descriptor is gone either way.
  ///
  /// - Throws: ``SystemError``; for a written file it means that bytes may be lost.
  public consuming func close() throws(SystemError) {
    let number = rawValue
    discard self
    // Not made again when interrupted: Linux has freed the number by then, and it may already
    // belong to someone else.
    guard Glibc.close(number) == -1 else { return }
    let errno = Errno.current
    if errno != .interrupted {
      throw SystemError(operation: "close", subject: "descriptor \(number)", errno: errno)
    }
  }

  /// Hands the descriptor over; closing it is now the caller's duty.
  public consuming func relinquish() -> Int32 {
    let number = rawValue
    discard self
    return number
  }

  /// A second descriptor for the same open file, closed on exec.
  ///
  /// Kernel name: `F_DUPFD_CLOEXEC`.
  ///
  /// - Throws: ``SystemError`` when no descriptor is free.
  public borrowing func duplicate() throws(SystemError) -> OwnedDescriptor {
    let number = rawValue
    // From 3 up, so that a copy never lands on a standard stream.
    let copy = try Syscall.check("fcntl F_DUPFD_CLOEXEC", "descriptor \(number)") {
      fcntl(number, F_DUPFD_CLOEXEC, 3)
    }
    return OwnedDescriptor(adopting: copy)
  }
}
