internal import Linux

/// Where other plugins are, and what they are handed.
struct Delegation: Sendable {
  /// The plugins in this program.
  let registry: PluginRegistry
  /// The name of the plugin that is asked, after those that have asked it.
  let chain: [String]
  /// The bytes of the configuration, which a delegate gets as they came.
  let input: [UInt8]
  /// The path of the file that is running.
  let executable: String
  /// How long a plugin in another file may take.
  let patience: Duration

  /// The same for a plugin that is asked next.
  func passed(to plugin: String) -> Delegation {
    Delegation(
      registry: registry, chain: chain + [plugin], input: input, executable: executable,
      patience: patience)
  }
}

/// The next plugin: a function of this program, or another program.
///
/// The first match on `CNI_PATH` decides. If it is the very file that is running, by device and
/// inode, then executing it would only lead back here, and a process is saved; a foreign plugin
/// that was put first on the path is executed. Both ways get the same document and give the same
/// answers.
private enum Delegate {
  case here(any Plugin.Type, Request)
  case elsewhere(ForeignPlugin)
}

extension Request {
  /// Lets another plugin do ADD with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Returns: its result.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked. Nothing is left of
  ///   what it did, except when it had to be stopped for taking too long.
  public func delegateAdd(to type: String) throws(ProtocolError) -> PluginResult {
    defer { step("\(type) was asked for ADD") }
    switch try delegate(.add, type) {
    case .here(let plugin, let request):
      let result = try plugin.add(request)
      do throws(ProtocolError) {
        return try result.asSeen(at: configuration.version)
      } catch {
        Withdrawal(plugin: plugin, request: request).perform()
        throw error
      }
    case .elsewhere(let program):
      let output = try program.run(.add)
      do throws(ProtocolError) {
        return try program.result(output)
      } catch {
        takeBack(program)
        throw error
      }
    }
  }

  /// Lets another plugin do DEL with the same configuration.
  ///
  /// A plugin that cannot be found is an error: what it holds has not been released.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateDelete(to type: String) throws(ProtocolError) {
    try pass(.delete, to: type) { plugin, request throws(ProtocolError) in
      try plugin.delete(request)
    }
  }

  /// Lets another plugin do CHECK with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateCheck(to type: String) throws(ProtocolError) {
    try pass(.check, to: type) { plugin, request throws(ProtocolError) in
      try plugin.check(request)
    }
  }

  /// Lets another plugin do REPAIR with the same configuration; one that does not know it does CHECK.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateRepair(to type: String) throws(ProtocolError) {
    defer { step("\(type) was asked for \(Command.repair.rawValue)") }
    switch try delegate(.repair, type) {
    case .here(let plugin, let request): try plugin.repair(request)
    case .elsewhere(let program): _ = try program.run(.check)
    }
  }

  /// Lets another plugin do STATUS with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked; code 50 when it
  ///   cannot be found, since ADD would then fail.
  public func delegateStatus(to type: String) throws(ProtocolError) {
    do throws(ProtocolError) {
      _ = try find(type)
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
    try pass(.status, to: type) { plugin, request throws(ProtocolError) in
      try plugin.status(request)
    }
  }

  /// Lets another plugin do GC with the same configuration and the same list.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateGarbageCollection(to type: String) throws(ProtocolError) {
    try pass(.collectGarbage, to: type) { plugin, request throws(ProtocolError) in
      try plugin.collectGarbage(request, keeping: request.validAttachments)
    }
  }

  /// Asks for a command that answers nothing.
  private func pass(
    _ command: Command, to type: String,
    here work: (any Plugin.Type, Request) throws(ProtocolError) -> Void
  ) throws(ProtocolError) {
    defer { step("\(type) was asked for \(command.rawValue)") }
    switch try delegate(command, type) {
    case .here(let plugin, let request): try work(plugin, request)
    case .elsewhere(let program): _ = try program.run(command)
    }
  }

  private func find(_ type: String) throws(ProtocolError) -> PluginPath.Match {
    let match = try invocation.pluginPath.find(type)
    // A plugin that delegates to itself, directly or round a corner, would never end.
    guard !delegation.chain.contains(type) else {
      let chain = (delegation.chain + [type]).joined(separator: " to ")
      throw ProtocolError(.invalidConfiguration, "plugins delegate in a circle: \(chain)")
    }
    return match
  }

  private func delegate(_ command: Command, _ type: String) throws(ProtocolError) -> Delegate {
    let match = try find(type)
    guard let plugin = delegation.registry[type], isThisProgram(match) else {
      return .elsewhere(ForeignPlugin(name: type, path: match.path, request: self))
    }
    var environment = invocation.environment
    environment[Variable.command.rawValue] = command.rawValue
    let request = Request(
      try Invocation(command, in: environment),
      try NetworkConfiguration(
        configuration.document, for: command, supporting: plugin.supportedVersions),
      delegation: delegation.passed(to: type), operationLog: operationLog, writeLog: writeLog)
    return .here(plugin, request)
  }

  private func isThisProgram(_ match: PluginPath.Match) -> Bool {
    do throws(SystemError) {
      let own = try File.status(of: delegation.executable, followingLink: true)
      return own?.identity == match.identity
    } catch {
      // Without /proc nobody can tell; executing the plugin is right in any case.
      return false
    }
  }

  /// Asks for DEL after an ADD whose answer cannot be used; what goes wrong with that is only told.
  private func takeBack(_ program: ForeignPlugin) {
    do throws(ProtocolError) {
      _ = try program.run(.delete)
    } catch {
      log("taking back what \(program.name) did failed: \(error)")
    }
  }
}
