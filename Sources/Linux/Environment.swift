internal import CLinux

/// The variables of a process as a value; changing a copy changes no process.
public struct Environment: Hashable, Sendable {
  /// Name to value.
  public var variables: [String: String]

  /// The variables given.
  public init(_ variables: [String: String] = [:]) {
    self.variables = variables
  }

  /// The value of a variable; nil when it is not set.
  public subscript(name: String) -> String? {
    get { variables[name] }
    set { variables[name] = newValue }
  }

  /// What this process was started with, as it is now.
  ///
  /// Of a name that is there twice the first one counts, as in `getenv`.
  ///
  /// - Returns: a snapshot.
  public static func current() -> Environment {
    var variables: [String: String] = [:]
    guard var entry = unsafe cni_environment() else { return Environment() }
    while let text = unsafe entry.pointee {
      let pair = unsafe String(cString: text)
      if let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")), equals != pair.startIndex {
        let name = String(pair[..<equals])
        if variables[name] == nil {
          variables[name] = String(pair[pair.utf8.index(after: equals)...])
        }
      }
      unsafe entry += 1
    }
    return Environment(variables)
  }

  /// As `execve` wants it, sorted by name.
  package var pairs: [String] {
    variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }
}
