public import CNI
public import JSON

/// A network as a runtime knows it: a name, and the plugins that make it, in order.
///
/// Specification: the network configuration format; upstream calls it a conflist. Its keys are
/// matched by case, unlike those of a plugin's configuration.
public struct NetworkList: Hashable, Sendable {
  /// The network's name.
  public let name: NetworkName
  /// The version that its plugins are spoken to in.
  public let version: SpecVersion
  /// That version as the list writes it, which is what plugins get to see.
  public let versionText: String
  /// Whether CHECK is not wanted.
  public let disablesCheck: Bool
  /// Whether GC is not wanted.
  public let disablesGarbageCollection: Bool
  /// The configurations of the plugins, at least one, each with a `type`.
  public private(set) var plugins: [JSONObject]
  /// The text it was read from, as the result cache keeps it.
  public let source: [UInt8]
  /// The file it was read from; `nil` for a list that was in none.
  public let path: String?

  /// Puts a list together of what has been read.
  init(_ header: NetworkListHeader, plugins: [JSONObject], source: [UInt8], path: String?) {
    name = header.name
    version = header.version
    versionText = header.versionText
    disablesCheck = header.disablesCheck
    disablesGarbageCollection = header.disablesGarbageCollection
    self.plugins = plugins
    self.source = source
    self.path = path
  }

  /// Reads a list.
  ///
  /// - Parameters:
  ///   - bytes: its text.
  ///   - path: the file it stands in, for messages and for the folder of further plugins: unless
  ///     the list forbids it, the files `NAME/*.conf` beside it are appended, sorted by name.
  /// - Throws: ``ProtocolError`` of code 6 or 7 that names the key.
  public init(parsing bytes: [UInt8], at path: String? = nil) throws(ProtocolError) {
    let document = try JSONObject(document: bytes)
    let header = try NetworkListHeader(document)
    var plugins: [JSONObject] = []
    if let inline = try header.inlinePlugins(of: document) {
      for (place, plugin) in inline.enumerated() {
        plugins.append(try NetworkList.plugin(plugin, called: "plugin config \(place)"))
      }
    }
    if let path, !header.loadsOnlyInlinePlugins {
      plugins += try NetworkList.folderPlugins(of: header.name, beside: path)
    }
    guard !plugins.isEmpty else { throw .badList("no plugin configs found") }
    self.init(header, plugins: plugins, source: bytes, path: path)
  }

  /// Makes a list of a single plugin's configuration, the form before 1.0.0.
  ///
  /// - Parameters:
  ///   - bytes: the text of a `.conf` or `.json` file.
  ///   - path: the file it stands in.
  /// - Throws: ``ProtocolError`` of code 6 or 7 that names the key.
  public init(parsingSinglePlugin bytes: [UInt8], at path: String? = nil) throws(ProtocolError) {
    let plugin = try NetworkList.plugin(
      .object(try JSONObject(document: bytes)), called: "configuration")
    // As upstream writes it when it has to make a list, which then is what the cache keeps.
    let document: JSONObject = [
      "cniVersion": plugin["cniVersion"] ?? "", "name": plugin["name"] ?? "",
      "plugins": [.object(plugin)],
    ]
    self.init(
      try NetworkListHeader(document), plugins: [plugin],
      source: JSONWriter.write(.object(document)), path: path)
  }

  /// The list with a further plugin at its end, for questions that the list itself does not ask.
  public func with(_ plugin: JSONObject) -> NetworkList {
    var list = self
    list.plugins.append(plugin)
    return list
  }

  private static func plugin(
    _ value: JSONValue, called name: String
  ) throws(ProtocolError) -> JSONObject {
    guard let plugin = value.objectValue else {
      throw .badList("failed to parse \(name): not an object")
    }
    guard let type = plugin["type"]?.textValue, !type.isEmpty else {
      throw .badList("failed to parse \(name): error parsing configuration: missing 'type'")
    }
    return plugin
  }

  private static func folderPlugins(
    of name: NetworkName, beside path: String
  ) throws(ProtocolError) -> [JSONObject] {
    let parent = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
    let folder = ConfigurationDirectory(path: "\(parent)/\(name)")
    return try folder.files(endingIn: [".conf"]).map { file throws(ProtocolError) in
      do throws(ProtocolError) {
        return try plugin(
          .object(JSONObject(document: try folder.bytes(of: file))), called: file)
      } catch {
        throw ProtocolError(error.code, "\(file): \(error.message)", details: error.details)
      }
    }
  }
}

extension JSONObject {
  /// The object that a whole text is.
  init(document bytes: [UInt8]) throws(ProtocolError) {
    let value: JSONValue
    do throws(JSONParseError) {
      value = try JSONParser.parse(bytes)
    } catch {
      throw ProtocolError(.decodingFailure, "error parsing configuration: \(error)")
    }
    guard let object = value.objectValue else {
      throw ProtocolError(.decodingFailure, "error parsing configuration: not an object")
    }
    self = object
  }
}
