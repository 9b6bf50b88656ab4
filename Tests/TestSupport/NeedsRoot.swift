internal import Glibc
internal import Linux
public import Testing

/// Why a test that needs root could not run where every test must.
public struct NotRoot: Error, CustomStringConvertible {
  /// The sentence for the log.
  public let description = "CI runs these tests as root, and this is not root"
}

extension Trait where Self == ConditionTrait {
  /// Runs a test only as root; elsewhere it is skipped, but in CI that is a failure.
  ///
  /// A CI that quietly skips the kernel tests would show green for code nobody has tried.
  public static var needsRoot: Self {
    .enabled("needs root: it makes network namespaces") {
      if geteuid() == 0 { return true }
      if unsafe getenv("CI") != nil { throw NotRoot() }
      return false
    }
  }

  /// Runs a test only where Debian's containernetworking-plugins are installed.
  public static var needsUpstream: Self {
    .enabled("needs Debian's containernetworking-plugins") {
      try File.status(of: "/usr/lib/cni/bridge") != nil
    }
  }
}
