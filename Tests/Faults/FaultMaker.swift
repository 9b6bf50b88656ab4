import Linux
import TestSupport

/// Whose plugins are disturbed.
struct FaultMaker: Sendable {
  /// Where the programs lie.
  let directory: String
  /// The newest version of the specification that they know.
  let version: String
  /// What the first call of their own speaks of.
  let beginning: String
  /// The verbs they know.
  let verbs: [FaultVerb]
  /// What the tracer needs to see all of their threads.
  let tracing: [String]
  /// Whether an ADD makes the same each time.
  let isRepeatable: Bool

  static func ours(_ directory: String) -> FaultMaker {
    FaultMaker(
      directory: directory, version: "1.1.0", beginning: "SIGPIPE", verbs: FaultVerb.allCases,
      tracing: [], isRepeatable: true)
  }

  /// Debian's containernetworking-plugins, whose links have random names.
  static let upstream = FaultMaker(
    directory: "/usr/lib/cni", version: "1.0.0", beginning: "execve",
    verbs: [.add, .delete, .check, .checkOfNothing], tracing: ["-f"], isRepeatable: false)
}
