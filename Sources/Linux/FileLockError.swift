/// Why a lock was not taken.
public enum FileLockError: Error, Equatable, Sendable {
  /// The lock file could not be opened or locked at all.
  case system(SystemError)
  /// Somebody else kept it for the whole time; who, as far as the kernel tells.
  case timedOut(path: String, holder: String)
}

extension FileLockError: CustomStringConvertible {
  /// What happened, such as `/x/lock is held by process 42 (bridge)`.
  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .timedOut(let path, let holder): "\(path) is held by \(holder)"
    }
  }
}
