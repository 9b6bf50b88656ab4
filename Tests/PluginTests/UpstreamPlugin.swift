import CNI
import Linux
import TestSupport
import Testing

extension PluginLab {
  /// Asks Debian's containernetworking-plugins, 1.1.1, which find upstream's own delegates.
  ///
  /// They know nothing of specification 1.1.0.
  func askUpstream(
    _ command: String, _ network: TestNetwork, _ pod: Pod, _ variables: [String: String] = [:]
  ) throws -> PluginOutcome {
    var call = call(network, pod)
    call.path = "/usr/lib/cni"
    call.variables = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(variables) { $1 }
    return try host.run {
      let ran = try ChildProcess.run(
        "/usr/lib/cni/\(network.plugin)",
        environment: call.environment(command, defaultPath: ""),
        input: Array(call.configuration.utf8))
      return PluginOutcome(
        exitCode: ran.isSuccess ? 0 : 1, output: String(decoding: ran.output, as: UTF8.self),
        log: String(decoding: ran.diagnostics, as: UTF8.self))
    }
  }

  /// Lets upstream's plugin add a pod.
  ///
  /// Its ptp gives up on a busy host now and then: it adds a route from an IPv6 address that is still
  /// tentative. A runtime then says DEL and tries again, and so does this.
  func addByUpstream(_ network: TestNetwork, _ pod: Pod) throws -> PluginOutcome {
    var outcome = try askUpstream("ADD", network, pod)
    for _ in 0..<4 where outcome.exitCode != 0 {
      try askUpstream("DEL", network, pod).succeed()
      outcome = try askUpstream("ADD", network, pod)
    }
    return outcome
  }
}
