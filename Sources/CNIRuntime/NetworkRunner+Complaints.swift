public import CNI
internal import JSON
internal import Linux

extension NetworkRunner {
  /// What one plugin of a list has to complain of.
  public struct Complaint: Hashable, Sendable {
    /// Its place in the list, from 0.
    public let place: Int
    /// Its type.
    public let plugin: String
    /// Its own words.
    public let error: ProtocolError
  }

  /// Lets each plugin of a list do CHECK, whatever the others say.
  ///
  /// - Parameters:
  ///   - arguments: the container's interface.
  ///   - list: the network as it was when the interface was made.
  /// - Returns: what they complain of; nothing from a list that is too old for CHECK or does not want
  ///   it.
  /// - Throws: ``ProtocolError`` when what is remembered of the interface cannot be read.
  public func complaints(
    of arguments: AttachmentArguments, on list: NetworkList
  ) throws(ProtocolError) -> [Complaint] {
    guard list.version >= .v0_4_0, !list.disablesCheck else { return [] }
    var request = PluginRequest(list: list, command: .check, arguments: arguments)
    request.previousResult = try cache.result(
      of: arguments.attachment(to: list.name), in: list.version)
    return complaints(of: list, about: request)
  }

  /// Lets each plugin of a list do STATUS, in version 1.1.0, whatever the list's own version is.
  ///
  /// What is told is what STATUS may tell: codes 50 and 51. A plugin that does not know STATUS says
  /// nothing. `host-local` is not asked, since to tell which leases an earlier boot has ended it ends
  /// them; without it, plugins that need addresses are not asked either.
  ///
  /// - Parameter list: the network.
  /// - Returns: what they complain of.
  public func obstacles(of list: NetworkList) -> [Complaint] {
    var request = PluginRequest(list: list, command: .status)
    request.extraMembers = [JSONMember("cniVersion", .string(SpecVersion.v1_1_0.description))]
    return complaints(of: list, about: request) { plugin in
      guard plugin["ipam"]?.objectValue?["type"] == "host-local" else { return plugin }
      guard plugin["type"] == "bridge" else { return nil }
      var plugin = plugin
      plugin["ipam"] = nil
      return plugin
    }.filter { [.notReady, .limitedConnectivity].contains($0.error.code) }
  }

  /// Lets one plugin of a list put back what it has made for an attachment.
  ///
  /// - Parameters:
  ///   - arguments: the container's interface, whose namespace is there.
  ///   - list: the network as it was when the interface was made.
  ///   - place: the plugin's place in the list, from 0.
  /// - Throws: ``ProtocolError``: the plugin's own; code 4 of one that cannot repair.
  public func repair(
    _ arguments: AttachmentArguments, on list: NetworkList, at place: Int
  ) throws(ProtocolError) {
    var request = PluginRequest(list: list, command: .repair, arguments: arguments)
    request.previousResult = try cache.result(
      of: arguments.attachment(to: list.name), in: list.version)
    try run(request, list.plugins[place])
  }

  private func complaints(
    of list: NetworkList, about request: PluginRequest,
    changing change: (JSONObject) -> JSONObject? = { $0 }
  ) -> [Complaint] {
    var complaints: [Complaint] = []
    for (place, plugin) in list.plugins.enumerated() {
      guard let plugin = change(plugin) else { continue }
      do throws(ProtocolError) {
        try run(request, plugin)
      } catch {
        complaints.append(
          Complaint(place: place, plugin: plugin["type"]?.textValue ?? "", error: error))
      }
    }
    return complaints
  }

  /// Whether the program that stands for a plugin's type is one of this suite; false when there is
  /// none, or one that must not be run.
  public func isOurs(_ type: String) -> Bool {
    // Without a command a plugin says who it is, in the first line on its standard error.
    var environment = environment
    for variable in Variable.allCases { environment[variable.rawValue] = nil }
    do {
      let outcome = try ExecutedPlugin.run(
        try pluginPath.find(type).path, environment: environment, input: [],
        limits: ChildProcess.Limits(time: .seconds(10)))
      return String(
        decoding: outcome.diagnostics.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self
      )
      .hasSuffix("(swift-cni)")
    } catch {
      return false
    }
  }
}

extension CachedAttachment {
  /// The list that was in force when the interface was made.
  ///
  /// - Parameter path: the file of the network's list, beside which further plugins may lie.
  /// - Returns: the list.
  /// - Throws: ``ProtocolError`` when what is remembered of it is no list.
  public func list(at path: String?) throws(ProtocolError) -> NetworkList {
    try NetworkList(parsing: source, at: path)
  }
}
