internal import Linux

/// Lines for the shell of a test, in the thread's namespace.
public enum Shell {
  /// Runs some lines.
  ///
  /// - Returns: what they print.
  /// - Throws: ``ShellFailure`` with what was said.
  @discardableResult
  public static func run(_ lines: String) throws -> String {
    let ran = try ChildProcess.run(
      "/bin/sh", arguments: ["-c", lines],
      environment: Environment(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]))
    guard ran.isSuccess else {
      throw ShellFailure(text: "\(lines): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
    return String(decoding: ran.output, as: UTF8.self)
  }

  /// Whether some lines succeed.
  public static func succeeds(_ lines: String) throws -> Bool {
    do { try run(lines) } catch is ShellFailure { return false }
    return true
  }
}

/// What a shell has complained of.
public struct ShellFailure: Error, CustomStringConvertible {
  /// The lines, and what was said.
  public let text: String
  /// The same.
  public var description: String { text }
}
