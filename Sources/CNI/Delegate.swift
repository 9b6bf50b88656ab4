internal import Linux

/// Where other plugins are, and what they are handed.
struct Delegation: Sendable {
  /// The plugins in this program.
  let registry: PluginRegistry
  /// The name of the plugin that is asked, for messages.
  let plugin: String
  /// The bytes of the configuration, which a delegate gets as they came.
  let input: [UInt8]
  /// The path of the file that is running.
  let executable: String
}

extension Request {
  /// Lets another plugin do ADD with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Returns: its result.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateAdd(to type: String) throws(ProtocolError) -> PluginResult {
    let (plugin, request) = try delegate(.add, type)
    return try plugin.add(request).asSeen(at: configuration.version)
  }

  /// Lets another plugin do DEL with the same configuration.
  ///
  /// A plugin that cannot be found is an error: what it holds has not been released.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateDelete(to type: String) throws(ProtocolError) {
    let (plugin, request) = try delegate(.delete, type)
    try plugin.delete(request)
  }

  /// Lets another plugin do CHECK with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateCheck(to type: String) throws(ProtocolError) {
    let (plugin, request) = try delegate(.check, type)
    try plugin.check(request)
  }

  /// Lets another plugin do STATUS with the same configuration.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateStatus(to type: String) throws(ProtocolError) {
    let (plugin, request) = try delegate(.status, type)
    try plugin.status(request)
  }

  /// Lets another plugin do GC with the same configuration and the same list.
  ///
  /// - Parameter type: its name, looked for on `CNI_PATH`.
  /// - Throws: ``ProtocolError``: its own error, or why it could not be asked.
  public func delegateGarbageCollection(to type: String) throws(ProtocolError) {
    let (plugin, request) = try delegate(.collectGarbage, type)
    try plugin.collectGarbage(
      request, keeping: try request.validAttachments)
  }

  private func delegate(
    _ command: Command, _ type: String
  ) throws(ProtocolError) -> (any Plugin.Type, Request) {
    guard let plugin = delegation.registry[type] else {
      throw ProtocolError(.invalidConfiguration, "failed to find plugin \(type.inQuotes)")
    }
    let invocation = try Invocation(command, in: invocation.environment)
    let configuration = try NetworkConfiguration(
      configuration.document, for: command, supporting: plugin.supportedVersions)
    let own = Delegation(
      registry: delegation.registry, plugin: type, input: delegation.input,
      executable: delegation.executable)
    return (plugin, Request(invocation, configuration, delegation: own, writeLog: writeLog))
  }
}
