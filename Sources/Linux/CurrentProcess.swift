internal import CLinux
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

  /// Has the kernel give the program's variables their memory now, all in one call.
  ///
  /// Most of them are the runtime's caches, which are looked into and then filled. A page that is
  /// first read and then written costs two faults, which take longer than to have it from the start.
  /// For the first line of a program that soon uses most of them: 70 pages of `cni`.
  ///
  /// Kernel name: `MADV_POPULATE_WRITE`, since Linux 5.14.
  public static func backVariables() {
    // An older kernel refuses, and nothing but time is lost.
    _ = cni_back_variables()
  }

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
