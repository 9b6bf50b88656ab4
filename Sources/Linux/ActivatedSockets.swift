internal import Glibc

/// Sockets that a service manager has opened and handed to this process.
///
/// sd_listen_fds(3): `LISTEN_PID`, `LISTEN_FDS`.
public enum ActivatedSockets {
  /// How many sockets were handed over.
  ///
  /// - Parameter environment: the variables of the process.
  /// - Returns: 0 where there is no service manager.
  public static func count(_ environment: Environment) -> Int {
    guard let process = environment["LISTEN_PID"], process == "\(getpid())",
      let text = environment["LISTEN_FDS"], let count = Int(text), 0...1024 ~= count
    else { return 0 }
    return count
  }

  /// Takes the first socket over.
  ///
  /// Only once, and only if ``count(_:)`` is not 0: the number belongs to somebody else otherwise.
  ///
  /// `SD_LISTEN_FDS_START`
  public static func takeFirst() -> OwnedDescriptor {
    OwnedDescriptor(adopting: 3)
  }
}
