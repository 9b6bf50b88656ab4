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
  /// Calls that are its language's alone, or that no kernel fails as the tracer makes them fail.
  let ofLanguage: Set<String>

  static func ours(_ directory: String) -> FaultMaker {
    FaultMaker(
      directory: directory, version: "1.1.0", beginning: "SIGPIPE", verbs: FaultVerb.allCases,
      tracing: [], isRepeatable: true, ofLanguage: [])
  }

  /// Debian's containernetworking-plugins, whose links have random names.
  ///
  /// What they do themselves begins when they read the configuration.
  static let upstream = FaultMaker(
    directory: "/usr/lib/cni", version: "1.0.0", beginning: "read(0,",
    verbs: [.add, .delete, .check, .checkOfNothing], tracing: ["-f"], isRepeatable: false,
    ofLanguage: [
      // A descriptor is closed even if an error is told, but is not by the tracer, and its readers hang.
      "close", "futex", "nanosleep", "clone", "clone3", "rt_sigaction", "rt_sigprocmask",
      "rt_sigreturn",
      "sigaltstack", "sched_yield", "sched_getaffinity", "epoll_create1", "epoll_ctl",
      "epoll_pwait", "tgkill", "getpid", "gettid", "set_robust_list", "rseq", "arch_prctl",
    ])

  /// Whether a fault says something of the plugin.
  func isFair(_ fault: Fault) -> Bool {
    fault.kind == .kill || !ofLanguage.contains(fault.call.name)
  }
}
