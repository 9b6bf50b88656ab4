public import Linux

/// Why firewalld did not do what it was asked.
public enum FirewalldError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is not running, or there is no bus to reach it by.
  case notRunning
  /// The program that speaks to it is not installed.
  case noProgram(String)
  /// That program could not be run.
  case system(SystemError)
  /// It refused; these are its words, which begin with one of its codes: `INVALID_ZONE: x`.
  case refused(String)

  /// What went wrong.
  public var description: String {
    switch self {
    case .notRunning: "firewalld is not running"
    case .noProgram(let name): "\(name), which speaks to firewalld, is not installed"
    case .system(let error): "\(error)"
    case .refused(let words): "firewalld says: \(words)"
    }
  }
}
