internal import CNI
internal import Linux
internal import Testing

/// The built program under its plugins' names in a directory of its own, asked as a runtime asks.
public struct InstalledPlugins: ~Copyable, Sendable {
  /// How the names lead to the program.
  public enum Form: CaseIterable, Sendable {
    /// One file with many names, as install.sh makes it.
    case hardLinks
    /// A file for each name; delegates are then other programs.
    case copies
    /// Names that lead to the program, as a distribution may make them.
    case symbolicLinks
  }

  /// The names of all plugins.
  public static let names = [
    "bandwidth", "bridge", "dhcp", "dummy", "firewall", "host-device", "host-local", "ipvlan",
    "loopback", "macvlan", "portmap", "ptp", "sbr", "service", "static", "tap", "tuning",
    "vlan", "vrf",
  ]

  /// The versions of the specification that a plugin speaks: upstream's, where one of a chain knows
  /// no time before chains.
  public static func versions(of name: String) -> [String] {
    let all = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    let first = ["bandwidth": "0.3.0", "firewall": "0.4.0", "vrf": "0.3.1"][name] ?? "0.1.0"
    return Array(all.drop { $0 != first })
  }

  /// Where they lie.
  public let directory: TemporaryDirectory

  /// Puts them into a new directory.
  public init(_ form: Form = .hardLinks, names: [String] = names) throws {
    let directory = try TemporaryDirectory()
    try Self.tool("cp", try BuiltProgram.cni(), directory.path("cni"))
    for name in names {
      switch form {
      case .hardLinks: try File.link(directory.path("cni"), as: directory.path(name))
      case .copies: try Self.tool("cp", directory.path("cni"), directory.path(name))
      case .symbolicLinks: try Self.tool("ln", "-s", "cni", directory.path(name))
      }
    }
    self.directory = directory
  }

  private static func tool(_ name: String, _ words: String...) throws {
    let outcome = try ChildProcess.run(
      "/bin/\(name)", arguments: words, environment: Environment())
    try #require(outcome.isSuccess, "\(name) \(words)")
  }

  /// The directory that stands in `CNI_PATH`.
  public var path: String { directory.path }

  /// Asks for any command.
  public func ask(_ command: String, _ call: PluginCall) throws -> PluginOutcome {
    try run(directory.path(call.plugin), [], command, call)
  }

  /// Asks through a shell, in whose text `$PLUGIN` is the plugin's path.
  public func ask(_ command: String, _ call: PluginCall, shell text: String) throws -> PluginOutcome
  {
    var call = call
    call.variables["PLUGIN"] = directory.path(call.plugin)
    return try run("/bin/sh", ["-c", text], command, call)
  }

  /// Starts the program by any name with any words.
  public func start(_ name: String, _ words: [String] = []) throws -> PluginOutcome {
    var call = PluginCall(name, "")
    call.variables["CNI_COMMAND"] = ""
    return try run(directory.path(name), words, "", call)
  }

  private func run(
    _ program: String, _ words: [String], _ command: String, _ call: PluginCall
  ) throws -> PluginOutcome {
    var environment = call.environment(command, defaultPath: path)
    environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    let outcome = try ChildProcess.run(
      program, arguments: words, environment: environment, input: Array(call.configuration.utf8))
    let code: Int32 =
      switch outcome.end {
      case .exited(let code): code
      case .signalled(let number): -number
      }
    return PluginOutcome(
      exitCode: code, output: String(decoding: outcome.output, as: UTF8.self),
      log: String(decoding: outcome.diagnostics, as: UTF8.self))
  }
}
