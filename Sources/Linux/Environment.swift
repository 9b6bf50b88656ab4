internal import CLinux

/// The variables of a process as a value; changing a copy changes no process.
public struct Environment: Hashable, Sendable {
  /// Each as `execve` has it: its name, `=` and its value.
  ///
  /// An array and no dictionary, since a plugin asks for seven of them and lives for two milliseconds.
  private var entries: [String]

  /// The variables given, by name.
  public init(_ variables: [String: String] = [:]) {
    entries = variables.map { "\($0.key)=\($0.value)" }.sorted()
  }

  /// The value of a variable; nil when it is not set.
  ///
  /// Of a name that is there twice the first one counts, as in `getenv`.
  public subscript(name: String) -> String? {
    get {
      guard let place = place(of: name) else { return nil }
      return String(decoding: entries[place].utf8.dropFirst(name.utf8.count + 1), as: UTF8.self)
    }
    set {
      let entry = newValue.map { "\(name)=\($0)" }
      switch (place(of: name), entry) {
      case (let place?, let entry?): entries[place] = entry
      case (let place?, nil):
        entries.remove(at: place)
        self[name] = nil
      case (nil, let entry?): entries.append(entry)
      case (nil, nil): break
      }
    }
  }

  /// What this process was started with, as it is now.
  ///
  /// - Returns: a snapshot.
  public static func current() -> Environment {
    var environment = Environment()
    guard var entry = unsafe cni_environment() else { return environment }
    while let text = unsafe entry.pointee {
      unsafe environment.entries.append(String(cString: text))
      unsafe entry += 1
    }
    return environment
  }

  /// As `execve` wants it.
  package var pairs: [String] { entries }

  private func place(of name: String) -> Int? {
    let beginning = Array(name.utf8) + [UInt8(ascii: "=")]
    // By bytes: to `hasPrefix` an accent behind the sign is part of it.
    return entries.firstIndex { entry in
      unsafe entry.utf8.withContiguousStorageIfAvailable { bytes in
        bytes.count >= beginning.count
          && beginning.indices.allSatisfy { unsafe bytes[$0] == beginning[$0] }
      } ?? entry.utf8.starts(with: beginning)
    }
  }
}
