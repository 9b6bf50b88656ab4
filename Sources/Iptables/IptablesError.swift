public import Linux

/// Why a program of the iptables family did not do what it was asked.
public struct IptablesError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The program's path.
  public let program: String
  /// What it was told.
  public let arguments: [String]
  /// What went wrong.
  public let cause: Cause

  /// What went wrong.
  public enum Cause: Hashable, Sendable {
    /// It could not be started, or took too long.
    case system(SystemError)
    /// It ended badly.
    case ended(ChildProcess.End, saying: String)
  }

  /// Describes a failure.
  public init(program: String, arguments: [String], cause: Cause) {
    self.program = program
    self.arguments = arguments
    self.cause = cause
  }

  /// Which program, how it ended, what it said.
  public var description: String {
    let command = ([program] + arguments).joined(separator: " ")
    switch cause {
    case .system(let error):
      return "\(command): \(error)"
    case .ended(.exited(let code), let words):
      return "\(command) ended with code \(code): \(words.firstLine)"
    case .ended(.signalled(let signal), let words):
      return "\(command) was ended by signal \(signal): \(words.firstLine)"
    }
  }
}

extension String {
  /// What programs say first is what matters; the rest is advice on their options.
  fileprivate var firstLine: Substring {
    split(separator: "\n", maxSplits: 1).first ?? "it said nothing"
  }
}
