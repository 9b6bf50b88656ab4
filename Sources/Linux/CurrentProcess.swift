internal import Glibc

/// The process this code runs in.
public enum CurrentProcess {
  /// Its number.
  ///
  /// Kernel name: `getpid`.
  public static var id: Int32 { getpid() }

  /// The user whose rights it has.
  ///
  /// Kernel name: `geteuid`.
  public static var user: UInt32 { geteuid() }

  /// Ends the process at once.
  ///
  /// Nothing is buffered in this house, so there is nothing to flush first.
  ///
  /// - Parameter code: what whoever waits for it is told; 0 for success.
  ///
  /// Kernel name: `exit_group`.
  public static func exit(_ code: Int32) -> Never {
    _exit(code)
  }
}
