public import CNI
public import Linux

/// The way in which plugins are run; a value, so that tests can put another in its place.
public struct PluginProgram: Sendable {
  private let run:
    @Sendable (_ path: String, _ input: [UInt8], Environment) throws(ProtocolError) -> [UInt8]

  /// Another way to run plugins.
  public init(
    _ run: @escaping @Sendable (String, [UInt8], Environment) throws(ProtocolError) -> [UInt8]
  ) {
    self.run = run
  }

  /// Runs a plugin.
  ///
  /// - Parameters:
  ///   - path: the plugin's file.
  ///   - input: what it reads from standard input.
  ///   - environment: all its variables.
  /// - Returns: what it printed.
  /// - Throws: ``ProtocolError``: its own, or why it could not be run.
  public func callAsFunction(
    _ path: String, input: [UInt8], environment: Environment
  ) throws(ProtocolError) -> [UInt8] {
    try run(path, input, environment)
  }

  /// Runs the file as a program.
  ///
  /// What it says on standard error goes to ours. Its failure is the ``ProtocolError`` it prints,
  /// code and all. A file that is just being written is tried again for five seconds.
  public static let executed = PluginProgram { path, input, environment throws(ProtocolError) in
    let outcome: ChildProcess.Outcome
    do throws(SystemError) {
      outcome = try ExecutedPlugin.run(
        path, environment: environment, input: input,
        limits: ChildProcess.Limits(output: 4 << 20))
    } catch {
      throw ProtocolError(error)
    }
    if outcome.isSuccess {
      StandardStreams.writeDiagnostics(String(decoding: outcome.diagnostics, as: UTF8.self))
      return outcome.output
    }
    throw ProtocolError(printedBy: outcome)
  }
}
