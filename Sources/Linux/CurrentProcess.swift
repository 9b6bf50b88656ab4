internal import CLinux
internal import Glibc

/// The process this code runs in.
public enum CurrentProcess {
  /// What the process was called by: argument 0.
  ///
  /// The C library keeps it. The standard library's list of arguments is put together from the
  /// stack, whose limits it reads from `/proc/self/maps`; that costs a fiftieth of a start.
  ///
  /// Kernel name: `argv[0]`, in the C library `program_invocation_name`.
  public static var invocationName: String {
    unsafe String(cString: cni_program_name())
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
