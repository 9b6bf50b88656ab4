/// Why work in another namespace came to nothing.
public enum NamespaceError<Failure: Error>: Error {
  /// The thread could not get there; nothing was done.
  case unreachable(SystemError)
  /// The work itself failed.
  case work(Failure)
}

extension NamespaceError: Equatable where Failure: Equatable {}

extension NamespaceError: CustomStringConvertible {
  /// The failure inside, in its own words.
  public var description: String {
    switch self {
    case .unreachable(let error): "cannot enter the network namespace: \(error)"
    case .work(let failure): "\(failure)"
    }
  }
}
