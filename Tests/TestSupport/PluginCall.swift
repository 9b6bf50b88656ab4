public import CNI
public import JSON
public import Linux

/// What a runtime says to a plugin, as a value to be changed from test to test.
public struct PluginCall: Sendable {
  /// The plugin's name.
  public var plugin: String
  /// The configuration's text.
  public var configuration: String
  /// `CNI_CONTAINERID`; `nil` leaves it out, as it does below.
  public var container: String? = "pod-1"
  /// `CNI_IFNAME`.
  public var interface: String? = "eth0"
  /// `CNI_NETNS`.
  public var namespace: String?
  /// `CNI_ARGS`.
  public var arguments: String?
  /// `CNI_PATH`; `nil` takes the runner's own directory.
  public var path: String?
  /// Further variables, which win over the others.
  public var variables: [String: String] = [:]

  /// A call about interface `eth0` of container `pod-1`.
  ///
  /// - Parameters:
  ///   - plugin: the plugin's name.
  ///   - configuration: the text for its standard input.
  ///   - namespace: the path of the container's namespace.
  public init(_ plugin: String, _ configuration: String, namespace: String? = nil) {
    self.plugin = plugin
    self.configuration = configuration
    self.namespace = namespace
  }

  /// The environment for a command.
  public func environment(_ command: String, defaultPath: String) -> Environment {
    var all = ["CNI_COMMAND": command, "CNI_PATH": path ?? defaultPath]
    all["CNI_CONTAINERID"] = container
    all["CNI_IFNAME"] = interface
    all["CNI_NETNS"] = namespace
    all["CNI_ARGS"] = arguments
    return Environment(all.merging(variables) { $1 })
  }
}

/// What a plugin answered.
public struct PluginOutcome: Sendable, Hashable {
  /// 0 for success.
  public let exitCode: Int32
  /// What it wrote to standard output.
  public let output: String
  /// What it wrote to standard error.
  public let log: String

  /// An answer.
  public init(exitCode: Int32, output: String, log: String) {
    self.exitCode = exitCode
    self.output = output
    self.log = log
  }

  /// The object it printed.
  ///
  /// - Throws: `JSONParseError` when it is none.
  public func document() throws -> JSONObject {
    try JSONParser.parse(output).objectValue ?? [:]
  }

  /// The result of ADD.
  ///
  /// - Throws: the `ProtocolError` that the plugin answered with, if it failed.
  public func result() throws -> PluginResult {
    try succeed()
    return try PluginResult(printed: document(), orElse: .v0_1_0)
  }

  /// Throws the `ProtocolError` that the plugin answered with, if it failed.
  public func succeed() throws {
    if exitCode != 0 { throw try ProtocolError(printed: Array(output.utf8)) }
  }

  /// The error it answered with; `nil` for success and for what is no error object.
  public var error: ProtocolError? {
    guard exitCode != 0 else { return nil }
    do {
      return try ProtocolError(printed: Array(output.utf8))
    } catch {
      return nil
    }
  }
}
