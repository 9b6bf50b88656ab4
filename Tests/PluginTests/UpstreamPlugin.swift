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
}
