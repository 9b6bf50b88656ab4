internal import JSON
internal import Linux

/// What a plugin is asked, and the way to other plugins.
public struct Request: Sendable {
  /// What is asked.
  public let command: Command
  /// The configuration of the network.
  public let configuration: NetworkConfiguration
  /// What the environment says.
  public let invocation: Invocation
  /// Where other plugins are, and what they are handed.
  let delegation: Delegation
  /// Where ``log(_:)`` writes.
  let writeLog: @Sendable (String) -> Void
  /// What the operator has asked to be told of each call; nil for nothing.
  let operationLog: OperationLog?

  init(
    _ invocation: Invocation, _ configuration: NetworkConfiguration, delegation: Delegation,
    operationLog: OperationLog?, writeLog: @escaping @Sendable (String) -> Void
  ) {
    self.command = invocation.command
    self.configuration = configuration
    self.invocation = invocation
    self.delegation = delegation
    self.operationLog = operationLog
    self.writeLog = writeLog
  }

  /// The same request for another command.
  func asking(_ command: Command) throws(ProtocolError) -> Request {
    var environment = invocation.environment
    environment[Variable.command.rawValue] = command.rawValue
    return Request(
      try Invocation(command, in: environment), configuration, delegation: delegation,
      operationLog: operationLog, writeLog: writeLog)
  }

  /// The interface, container and network that the command is about.
  ///
  /// - Throws: ``ProtocolError`` of code 999 for GC, STATUS and VERSION, which are about none.
  public var attachment: Attachment {
    get throws(ProtocolError) {
      guard let container = invocation.container, let interface = invocation.interface else {
        throw ProtocolError(
          .internalFailure, "\(command.rawValue) does not concern an attachment")
      }
      return Attachment(
        network: configuration.name, container: container, interface: interface)
    }
  }

  /// The path of the container's namespace; `nil` when the runtime names none, as DEL may.
  public var namespacePath: String? { invocation.namespacePath }

  /// Whether a result of the plugins before this one came along, however damaged.
  public var hasPreviousResult: Bool { configuration.fields.value("prevResult") != nil }

  /// The result of the plugins before this one in the chain; `nil` when there is none.
  ///
  /// It is read when it is asked for, so that a DEL that has no use for it survives a damaged one.
  ///
  /// - Throws: ``ProtocolError`` for a result that cannot be read as the configuration's version.
  public func previousResult() throws(ProtocolError) -> PluginResult? {
    let fields = configuration.fields
    let document = try fields.read { fields throws(JSONFieldError) in
      try fields.object("prevResult")
    }
    guard let document else { return nil }
    do throws(ProtocolError) {
      return try PluginResult(document, version: configuration.version, path: "prevResult")
    } catch {
      throw ProtocolError(
        error.code, "could not parse prevResult: \(error.message)", details: error.details)
    }
  }

  /// The wishes in `CNI_ARGS`.
  ///
  /// - Parameter known: the keys that the plugin understands.
  /// - Returns: the values of those keys.
  /// - Throws: ``ProtocolError`` of code 4.
  public func commandArguments(known: [String]) throws(ProtocolError) -> CommandArguments {
    try CommandArguments(invocation.arguments, known: known)
  }

  /// Writes a line for the operator to standard error, which runtimes keep in their log.
  public func log(_ line: String) {
    let line = "\(delegation.chain.last ?? "cni"): \(line)"
    writeLog("\(line)\n")
    operationLog?.note(line)
  }

  /// Tells the operator's log that a step is done, if there is such a log: key `log`, `CNI_LOG`.
  ///
  /// - Parameter what: the step in a few words; not asked for where nobody listens.
  public func step(_ what: @autoclosure () -> String) {
    operationLog?.step(what())
  }
}
