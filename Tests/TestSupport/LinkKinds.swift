internal import Linux
public import Testing

/// Which kinds of link the kernel at hand knows, as `ip` finds out.
///
/// A test of a kind that is missing here is run in the virtual machine, whose kernel has them all.
public enum LinkKinds {
  /// Whether the kernel makes links of a kind, such as `vlan`.
  ///
  /// - Throws: `SystemError` when there is no namespace to ask in or no `ip` to ask with.
  public static func contain(_ kind: String) throws -> Bool {
    let asked = try FreshNamespace.run {
      try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["link", "add", "probe", "type", kind],
        environment: .current())
    }
    // A known kind may miss the link it is to stand on; only an unknown one is "unknown".
    return !String(decoding: asked.diagnostics, as: UTF8.self).contains("Unknown device type")
  }
}

extension Trait where Self == ConditionTrait {
  /// Runs a test only where the kernel makes links of a kind.
  public static func needsLinks(of kind: String) -> Self {
    .enabled("needs a kernel with links of kind \(kind)") { try LinkKinds.contain(kind) }
  }
}
