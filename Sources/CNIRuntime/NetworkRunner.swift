public import CNI
internal import JSON
public import Linux

/// Does to a network what a runtime does: runs the plugins of its list in order.
///
/// What it remembers it keeps in the ``ResultCache``; it takes no lock, since a runtime must not
/// ask two things about one attachment at once anyway.
public struct NetworkRunner: Sendable {
  /// Where plugins lie.
  public let pluginPath: PluginPath
  /// What is remembered.
  public let cache: ResultCache
  /// The variables that plugins inherit, those of the protocol aside.
  let environment: Environment
  /// How plugins are run.
  let program: PluginProgram

  /// A runner; nothing is looked at before it is asked for something.
  public init(
    pluginPath: PluginPath, cache: ResultCache = ResultCache(),
    environment: Environment = .current(), program: PluginProgram = .executed
  ) {
    self.pluginPath = pluginPath
    self.cache = cache
    self.environment = environment
    self.program = program
  }

  /// Joins a container to the network and remembers it.
  ///
  /// When a plugin fails, what the ones before it have made stays until
  /// ``delete(_:from:)``: taking it back here would also take back an earlier ADD of the same
  /// attachment.
  ///
  /// - Parameters:
  ///   - arguments: the container's interface.
  ///   - list: the network.
  /// - Returns: the result of the last plugin, in the version of the list.
  /// - Throws: ``ProtocolError``: the first plugin's that failed, its name put before.
  public func add(
    _ arguments: AttachmentArguments, to list: NetworkList
  ) throws(ProtocolError) -> PluginResult {
    var request = PluginRequest(list: list, command: .add, arguments: arguments)
    var result = PluginResult()
    for plugin in list.plugins {
      let output = try run(request, plugin, "add")
      do throws(ProtocolError) {
        result = try PluginResult(
          printed: try JSONObject(document: output), orElse: list.version)
        request.previousResult = try result.document(for: list.version)
      } catch {
        throw error.told(of: plugin, "add")
      }
    }
    let cached = CachedAttachment(
      network: list.name, arguments: arguments, source: list.source,
      result: request.previousResult)
    do throws(ProtocolError) {
      try cache.store(cached)
    } catch {
      throw ProtocolError(
        error.code, "failed to set network \(list.name.text.inQuotes) cached result: \(error)")
    }
    return result
  }

  /// Asks whether what ADD made is still there.
  ///
  /// - Parameters:
  ///   - arguments: the container's interface.
  ///   - list: the network; one that does not want CHECK is always well.
  /// - Throws: ``ProtocolError``: what is missing, or code 1 for a list older than 0.4.0.
  public func check(
    _ arguments: AttachmentArguments, on list: NetworkList
  ) throws(ProtocolError) {
    guard list.version >= .v0_4_0 else {
      throw ProtocolError(
        .incompatibleVersion,
        "configuration version \(list.versionText.inQuotes) does not support the CHECK command")
    }
    guard !list.disablesCheck else { return }
    var request = PluginRequest(list: list, command: .check, arguments: arguments)
    do throws(ProtocolError) {
      request.previousResult = try cache.result(
        of: arguments.attachment(to: list.name), in: list.version)
    } catch {
      throw ProtocolError(
        error.code, "failed to get network \(list.name.text.inQuotes) cached result: \(error)")
    }
    for plugin in list.plugins { try run(request, plugin, "check") }
  }

  /// Takes a container off the network and forgets it, whether or not it is known.
  ///
  /// - Parameters:
  ///   - arguments: the container's interface.
  ///   - list: the network.
  /// - Throws: ``ProtocolError``: the first plugin's that failed, counted from the end; the
  ///   attachment is remembered then, so that it can be tried again.
  public func delete(
    _ arguments: AttachmentArguments, from list: NetworkList
  ) throws(ProtocolError) {
    var request = PluginRequest(list: list, command: .delete, arguments: arguments)
    let attachment = arguments.attachment(to: list.name)
    if list.version >= .v0_4_0 {
      do throws(ProtocolError) {
        request.previousResult = try cache.result(of: attachment, in: list.version)
      } catch {
        // DEL must work without it, and a damaged memory must not keep an attachment for ever.
        StandardStreams.writeDiagnostics("ignoring \(cache.path(of: attachment)): \(error)\n")
      }
    }
    for plugin in list.plugins.reversed() { try run(request, plugin, "delete") }
    try cache.remove(attachment)
  }

  /// Asks whether an ADD could be served.
  ///
  /// - Parameter list: the network; one older than 1.1.0 cannot be asked and is taken for ready.
  /// - Throws: ``ProtocolError``: the first plugin's, unchanged, so that its code can be read.
  public func status(of list: NetworkList) throws(ProtocolError) {
    guard list.version >= .v1_1_0 else { return }
    let request = PluginRequest(list: list, command: .status)
    for plugin in list.plugins { try run(request, plugin) }
  }

  /// Runs one plugin of the list, its name put before what it complains of.
  @discardableResult
  func run(
    _ request: PluginRequest, _ plugin: JSONObject, _ verb: String
  ) throws(ProtocolError) -> [UInt8] {
    do throws(ProtocolError) {
      return try run(request, plugin)
    } catch {
      throw error.told(of: plugin, verb)
    }
  }

  /// Runs one plugin of the list; what it complains of is told as it is.
  @discardableResult
  func run(
    _ request: PluginRequest, _ plugin: JSONObject
  ) throws(ProtocolError) -> [UInt8] {
    let match = try pluginPath.find(plugin["type"]?.textValue ?? "")
    return try program(
      match.path, input: request.document(for: plugin),
      environment: request.environment(from: environment, path: pluginPath))
  }
}

extension ProtocolError {
  /// The error with the plugin's name and the step before it, as upstream tells it.
  fileprivate func told(of plugin: JSONObject, _ verb: String) -> ProtocolError {
    var whose = "plugin type=\((plugin["type"]?.textValue ?? "").inQuotes)"
    if let name = plugin["name"]?.textValue, !name.isEmpty { whose += " name=\(name.inQuotes)" }
    return ProtocolError(code, "\(whose) failed (\(verb)): \(message)", details: details)
  }
}
