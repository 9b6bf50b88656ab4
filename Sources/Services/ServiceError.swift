public import Linux

/// Why work on services could not be done.
public enum ServiceError: Error, Sendable {
  /// A file or directory of ours could not be read or written.
  case system(SystemError)
  /// Somebody else is at work, and has been for long.
  case busy(FileLockError)
  /// The kernel refused, or its tables are not as they should be.
  case kernel(ServiceTableError)
  /// The node's settings cannot be used, and there are none from before.
  case settings(ServiceRefusal)
  /// Something is called so that no file can be.
  case unfitName(String)
}

extension ServiceError: CustomStringConvertible {
  /// What happened.
  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .busy(let error): "\(error)"
    case .kernel(let error): "\(error)"
    case .settings(let refusal): "\(refusal)"
    case .unfitName(let name): "\(name) cannot be the name of a file"
    }
  }
}
