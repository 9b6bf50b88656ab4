internal import JSON
public import Linux

/// From environment and bytes to bytes and an exit code.
///
/// Nothing here reads or writes the world by itself; what the plugin does is its own affair.
public enum PluginMain {
  /// The longest configuration that is read, in bytes.
  public static let inputLimit = 4 << 20

  /// The longest run of a delegate in another file.
  ///
  /// Upstream waits for ever, and so a hanging plugin holds the runtime's call until that gives up,
  /// after two minutes in the kubelet. A little less lets the answer say whose fault it is.
  public static let patience = Duration.seconds(100)

  /// Which plugin is meant: the last part of argument 0.
  ///
  /// - Parameters:
  ///   - arguments: all arguments, the first of them argument 0.
  ///   - program: the name under which the program is no plugin; there argument 1 may name one.
  /// - Returns: the plugin's name; `nil` when the program was called by its own name alone.
  public static func name(from arguments: [String], program: String) -> String? {
    let path = arguments.first ?? program
    let name = lastPart(of: path) ?? program
    return name == program ? arguments.dropFirst().first : name
  }

  private static func lastPart(of path: String) -> String? {
    let slash = UInt8(ascii: "/")
    var part = path.utf8[...]
    while part.last == slash { part.removeLast() }
    if let last = part.lastIndex(of: slash) { part = part[last...].dropFirst() }
    return part.isEmpty ? nil : String(part)
  }

  /// Does what the runtime asks of a plugin.
  ///
  /// - Parameters:
  ///   - name: the plugin's name; without one the answer is the list of what there is.
  ///   - environment: the variables of the protocol among others.
  ///   - readInput: reads standard input; not called for VERSION.
  ///   - registry: the plugins of this program.
  ///   - executable: the path of the file that is running, which tells delegates in the same file.
  ///   - patience: how long a delegate in another file may take.
  ///   - log: where lines for the operator go.
  /// - Returns: what is to be written and how to exit.
  public static func run(
    name: String?, environment: Environment, readInput: () throws(SystemError) -> [UInt8],
    registry: PluginRegistry, executable: String = "/proc/self/exe",
    patience: Duration = patience,
    log: @escaping @Sendable (String) -> Void = StandardStreams.writeDiagnostics
  ) -> Answer {
    guard let name else { return .list(of: registry) }
    guard let plugin = registry[name] else { return .unknown(name, among: registry) }
    guard let verb = Variables(environment: environment)[.command] else { return .about(plugin) }
    let begin = MonotonicTime.now
    var version = SpecVersion.newest
    var known: NetworkConfiguration?
    var operationLog: OperationLog?
    do throws(ProtocolError) {
      guard let command = Command(rawValue: verb) else {
        throw ProtocolError(.invalidEnvironment, "unknown CNI_COMMAND: \(verb)")
      }
      let invocation = try Invocation(command, in: environment)
      if command == .version { return .versions(of: plugin) }
      let input = try configurationBytes(readInput)
      let configuration = try NetworkConfiguration(
        parsing: input, for: command, supporting: plugin.supportedVersions)
      version = configuration.version
      known = configuration
      operationLog = OperationLog(of: name, in: environment, configuration, since: begin) {
        log("\($0)\n")
      }
      let delegation = Delegation(
        registry: registry, chain: [name], input: input, executable: executable,
        patience: patience)
      let request = Request(
        invocation, configuration, delegation: delegation, operationLog: operationLog, writeLog: log
      )
      try refuseOwnNamespace(of: invocation)
      let answer = try answer(request, by: plugin)
      operationLog?.end()
      return answer
    } catch {
      if known == nil {
        // What the configuration says cannot be known; the runtime may have said something.
        operationLog = OperationLog(of: name, in: environment, nil, since: begin) { log("\($0)\n") }
      }
      operationLog?.end(error)
      return .failure(error, version: version)
    }
  }

  private static func configurationBytes(
    _ readInput: () throws(SystemError) -> [UInt8]
  ) throws(ProtocolError) -> [UInt8] {
    do throws(SystemError) {
      return try readInput()
    } catch {
      throw ProtocolError(.ioFailure, "error reading from stdin: \(error)")
    }
  }

  private static func answer(
    _ request: Request, by plugin: any Plugin.Type
  ) throws(ProtocolError) -> Answer {
    switch request.command {
    case .add: return try addition(request, by: plugin)
    case .delete: try plugin.delete(request)
    case .check: try plugin.check(request)
    case .repair: try plugin.repair(request)
    case .status: try plugin.status(request)
    case .collectGarbage: try plugin.collectGarbage(request, keeping: request.validAttachments)
    case .version: return .versions(of: plugin)
    }
    return .silence
  }

  /// Does ADD; a result that the version cannot express is taken back.
  private static func addition(
    _ request: Request, by plugin: any Plugin.Type
  ) throws(ProtocolError) -> Answer {
    let result = try plugin.add(request)
    request.step("the result is complete: \(result.addresses.map(\.address))")
    let withdrawal = Withdrawal(plugin: plugin, request: request)
    do throws(ProtocolError) {
      return .result(
        try result.printed(for: request.configuration.version), withdrawal: withdrawal)
    } catch {
      withdrawal.perform()
      throw error
    }
  }

  /// Refuses to work on the namespace we stand in.
  ///
  /// A runtime that names it by mistake would have the host's interfaces changed. Upstream notices
  /// when that has been done; here it is asked before anything is touched. A path that leads nowhere
  /// is none of this question's business.
  private static func refuseOwnNamespace(of invocation: Invocation) throws(ProtocolError) {
    guard invocation.command.changesNamespace,
      let path = invocation.namespacePath, !invocation.allowsOwnNamespace,
      let container = identity(of: path), container == identity(of: "/proc/thread-self/ns/net")
    else { return }
    throw ProtocolError(
      .invalidNamespace, "plugin's netns and netns from CNI_NETNS should not be the same")
  }

  private static func identity(of path: String) -> FileIdentity? {
    do throws(SystemError) {
      return try File.status(of: path, followingLink: true)?.identity
    } catch {
      // The plugin will say what is wrong with the path, if it needs it.
      return nil
    }
  }
}

extension Command {
  /// Whether it changes what is in the container's namespace.
  fileprivate var changesNamespace: Bool {
    switch self {
    case .add, .delete, .repair: true
    case .check, .collectGarbage, .status, .version: false
    }
  }
}

extension Request {
  /// The attachments that GC keeps.
  ///
  /// - Throws: ``ProtocolError`` of code 7 when the runtime sends no list. Freeing everything would
  ///   cut off a node whose runtime merely forgot it, and success would say that something had
  ///   been done.
  var validAttachments: Set<ValidAttachment> {
    get throws(ProtocolError) {
      guard let list = try configuration.validAttachments else {
        throw ProtocolError(
          .invalidConfiguration,
          "GC without cni.dev/valid-attachments: nothing is freed",
          details: "send an empty list to free everything of network \(configuration.name)")
      }
      return Set(list)
    }
  }
}
