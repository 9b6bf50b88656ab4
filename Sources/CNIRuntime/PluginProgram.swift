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
  /// code and all. A file that is just being written is tried again for a moment.
  public static let executed = PluginProgram { path, input, environment throws(ProtocolError) in
    let outcome = try execute(path, input, environment)
    if outcome.isSuccess {
      StandardStreams.writeDiagnostics(String(decoding: outcome.diagnostics, as: UTF8.self))
      return outcome.output
    }
    throw ProtocolError(printedBy: outcome)
  }

  private static func execute(
    _ path: String, _ input: [UInt8], _ environment: Environment
  ) throws(ProtocolError) -> ChildProcess.Outcome {
    var attempt = 0
    while true {
      do throws(SystemError) {
        return try ChildProcess.run(
          path, environment: environment, input: input,
          limits: ChildProcess.Limits(output: 4 << 20))
      } catch {
        attempt += 1
        guard error.errno == .textFileBusy, attempt <= 5 else { throw ProtocolError(error) }
        MonotonicTime.sleep(for: .milliseconds(20 << attempt))
      }
    }
  }
}

extension ProtocolError {
  /// The failure that a plugin has printed, or what can be said without one.
  init(printedBy outcome: ChildProcess.Outcome) {
    let complaint = String(decoding: outcome.diagnostics, as: UTF8.self)
    let ending =
      switch outcome.end {
      case .exited(let code): "exit status \(code)"
      case .signalled(let number): "signal \(number)"
      }
    guard !outcome.output.isEmpty else {
      self.init(
        .internalFailure,
        complaint.isEmpty
          ? "netplugin failed with no error message: \(ending)"
          : "netplugin failed: \(complaint.inQuotes)")
      return
    }
    do throws(ProtocolError) {
      self = try ProtocolError(printed: outcome.output)
    } catch {
      let text = String(decoding: outcome.output, as: UTF8.self)
      self.init(
        .internalFailure,
        "netplugin failed but error parsing its diagnostic message \(text.inQuotes): \(error)")
    }
  }
}
