public import CNI
public import Linux
internal import Synchronization

/// Plugins asked in this process as a runtime asks them: environment and bytes in, bytes out.
///
/// It makes a directory for `CNI_PATH` that holds each plugin's name, and gives out the file behind
/// those names as the running program, so that delegates are called in process. The thread's
/// namespace is the host.
///
///     let runner = try PluginRun(.suite)
///     let pod = try FreshNamespace()
///     let call = PluginCall("bridge", configuration, namespace: pod.path)
///     let result = try host.run { try runner.add(call).result() }
public struct PluginRun: ~Copyable, Sendable {
  /// How long a delegate in another file may take.
  public var patience = PluginMain.patience
  private let registry: PluginRegistry
  private let directory: TemporaryDirectory

  /// Plugins of a registry, all found in one directory.
  ///
  /// - Parameter registry: the plugins.
  /// - Throws: `SystemError` when the directory cannot be made.
  public init(_ registry: PluginRegistry) throws(SystemError) {
    let directory = try TemporaryDirectory()
    let program = try directory.write(".program", "", mode: 0o755)
    for name in registry.names {
      try File.link(program, as: directory.path(name))
    }
    self.registry = registry
    self.directory = directory
  }

  /// The directory that stands in `CNI_PATH`.
  public var path: String { directory.path }

  /// Asks for any command, also one that does not exist.
  ///
  /// - Parameters:
  ///   - command: `CNI_COMMAND`.
  ///   - call: everything else.
  /// - Returns: what the plugin answered.
  public func ask(_ command: String, _ call: PluginCall) -> PluginOutcome {
    let log = Lines()
    let answer = PluginMain.run(
      name: call.plugin, environment: call.environment(command, defaultPath: path),
      readInput: { () throws(SystemError) in Array(call.configuration.utf8) },
      registry: registry, executable: directory.path(".program"), patience: patience,
      log: { line in log.add(line) })
    return PluginOutcome(
      exitCode: answer.exitCode, output: String(decoding: answer.output, as: UTF8.self),
      log: answer.diagnostics + log.text)
  }

  /// Asks for ADD.
  public func add(_ call: PluginCall) -> PluginOutcome { ask("ADD", call) }

  /// Asks for DEL.
  public func delete(_ call: PluginCall) -> PluginOutcome { ask("DEL", call) }

  /// Asks for CHECK.
  public func check(_ call: PluginCall) -> PluginOutcome { ask("CHECK", call) }

  /// Asks for GC; the list is part of the configuration.
  public func collectGarbage(_ call: PluginCall) -> PluginOutcome { ask("GC", call) }

  /// Asks for STATUS.
  public func status(_ call: PluginCall) -> PluginOutcome { ask("STATUS", call) }
}

/// A log that a closure can write to.
private final class Lines: Sendable {
  private let lines = Mutex("")

  var text: String { lines.withLock { $0 } }

  func add(_ line: String) { lines.withLock { $0 += line } }
}
