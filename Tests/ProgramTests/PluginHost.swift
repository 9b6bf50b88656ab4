import JSON
import Linux
import TestSupport
import Witness

/// A host of its own for the built program: a network namespace, a plugin directory, lease files.
///
/// It may be used by many threads at once, as a busy runtime does.
final class PluginHost: Sendable {
  private let namespace: FreshNamespace
  private let plugins: PluginDirectory
  private let state: TemporaryDirectory

  /// An empty host with all our plugins.
  init() throws {
    namespace = try FreshNamespace()
    plugins = try PluginDirectory()
    state = try TemporaryDirectory()
  }

  /// Where the leases of its networks are.
  var store: String { state.path("networks") }

  /// Does some work standing in the host's namespace.
  func run<T>(_ work: () throws -> T) throws -> T {
    try namespace.run(work)
  }

  /// Runs the plugin that a configuration names, as a runtime does.
  ///
  /// - Parameters:
  ///   - command: such as `ADD`.
  ///   - attachment: whose; its namespace stands in CNI_NETNS, and is left out if it is nil.
  ///   - configuration: for standard input.
  ///   - searchPath: where programs are found by name, which is left out if it is nil.
  /// - Returns: how the program ended and what it said.
  /// - Throws: `SystemError` when it cannot be run.
  func call(
    _ command: String, _ attachment: TestAttachment, _ configuration: JSONObject,
    searchPath: String? = "/usr/sbin:/usr/bin:/sbin:/bin"
  ) throws -> ProgramAnswer {
    let plugin = configuration["type"]?.textValue ?? ""
    var variables = [
      "CNI_COMMAND": command, "CNI_CONTAINERID": attachment.container,
      "CNI_IFNAME": attachment.interface, "CNI_PATH": plugins.path,
    ]
    variables["PATH"] = searchPath
    variables["CNI_NETNS"] = attachment.namespace
    let outcome = try run {
      try ChildProcess.run(
        "\(plugins.path)/\(plugin)", environment: Environment(variables),
        input: JSONWriter.write(.object(configuration)),
        limits: ChildProcess.Limits(time: .seconds(120)))
    }
    return ProgramAnswer(
      isSuccess: outcome.isSuccess, output: String(decoding: outcome.output, as: UTF8.self),
      log: String(decoding: outcome.diagnostics, as: UTF8.self))
  }

  /// Whether an address answers the host.
  func reaches(_ address: String) throws -> Bool {
    try run { try Traffic.pings(address) }
  }

  /// The network of the host and the names of its lease files.
  func picture() throws -> [String] {
    try run { try Witness.snapshot() } + files(below: store).sorted()
  }

  /// What has come or gone since a picture was taken; empty when nothing has.
  ///
  /// The kernel takes a namespace apart after the last one has left it, so a difference counts only
  /// when it stays.
  func leftovers(since before: [String]) throws -> [String] {
    let deadline = MonotonicTime.now + .seconds(60)
    while true {
      let difference = Witness.difference(from: before, to: try picture())
      if difference.isEmpty || MonotonicTime.now > deadline { return difference }
      MonotonicTime.sleep(for: .milliseconds(20))
    }
  }

  private func files(below directory: String) throws -> [String] {
    guard try File.status(of: directory) != nil else { return [] }
    return try Directory.entries(of: directory).flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      // Ours to throw away, and upstream's hint; neither holds an address.
      if name == ".swift-cni" || name.hasPrefix("last_reserved_ip.") { return [] }
      guard try File.status(of: path)?.kind == .directory else { return ["file \(path)"] }
      return try files(below: path)
    }
  }
}

/// Whose call it is.
struct TestAttachment: Sendable {
  var container: String
  var namespace: String?
  var interface = "eth0"
}

/// What the program answered.
struct ProgramAnswer: Sendable {
  let isSuccess: Bool
  let output: String
  let log: String

  /// The object it printed; empty for an answer without one.
  func document() throws -> JSONObject {
    output.isEmpty ? [:] : try JSONParser.parse(output).objectValue ?? [:]
  }

  /// The addresses of a result, without their prefix lengths.
  func addresses() throws -> [String] {
    let entries = try document()["ips"]?.listValue ?? []
    return entries.compactMap { entry in
      entry.objectValue?["address"]?.textValue?.split(separator: "/").first.map(String.init)
    }
  }
}

/// The built program under every plugin's name.
///
/// It lies beside the program, since hard links do not cross file systems.
private struct PluginDirectory: ~Copyable, Sendable {
  let path: String
  private let names: [String]

  init() throws {
    let program = try BuiltProgram.cni()
    let listing = try ChildProcess.run(program, environment: Environment([:]))
    let names = String(decoding: listing.output, as: UTF8.self).split(separator: "\n")
      .map(String.init)
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let directory = program.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    let path = "\(directory)/plugins-\(random)"
    try Directory.create(path)
    for name in names { try File.link(program, as: "\(path)/\(name)") }
    self.path = path
    self.names = names
  }

  deinit {
    do {
      for name in names { try File.remove("\(path)/\(name)") }
      try Directory.remove(path)
    } catch {
      StandardStreams.writeDiagnostics("cannot remove \(path): \(error)\n")
    }
  }
}
