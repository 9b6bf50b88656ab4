internal import Addressing
internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import FoundationEssentials
internal import JSON
internal import Linux

/// Tells what an ADD would do, by doing it where it changes nothing.
struct Explain: Verb {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Tell what adding a pod to a network would do here; nothing is changed.",
    discussion: """
      Runs the plugins of the list in a network namespace that looks like this host, with a pod that \
      is made for it, and with files that only they see. Then it tells their steps, what has come in \
      namespaces and files, and the result; all of it is forgotten. Daemons are not asked, so a \
      network of dhcp ends there. Wishes stand in CNI_ARGS and CAP_ARGS, as with "cnictl add". Needs \
      root.

        cnictl explain pods
      """)

  @Argument(
    help: ArgumentHelp("The network's name.", valueName: "list"), completion: .networkNames)
  var network: String

  @Option(help: ArgumentHelp("The pod's container ID.", valueName: "id"))
  var container = "explained"

  @Option(help: ArgumentHelp("The interface's name in the pod.", valueName: "name"))
  var interface = "eth0"

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  func perform(in surroundings: Surroundings) throws {
    let list = try node.network(named: network, in: surroundings)
    let scratch = try makeDirectory()
    defer { removeDirectory(scratch, surroundings) }
    let directories = try shadowed(by: list)
    let told = try PrivateMounts.run(shadowing: directories, below: scratch) { written in
      try rehearse(list, directories, written, in: surroundings)
    }
    for line in told.lines { try surroundings.print(line) }
    if let failure = told.failure {
      throw OperatorFailure(
        "the ADD would fail: \(failure)", advice: "It would take back what it has done.")
    }
  }

  /// What there is to be told.
  private struct Told {
    var lines: [String]
    var failure: ProtocolError?
  }

  private func rehearse(
    _ list: NetworkList, _ directories: [String], _ written: [String], in surroundings: Surroundings
  ) throws -> Told {
    let log = "/run/cnictl-explain.log"
    let host = try HostImitation()
    let pod = try NetworkNamespace.make()
    let arguments = try arguments(in: pod.sharedPath, surroundings)
    var environment = surroundings.environment
    environment["CNI_LOG"] = log
    let runner = NetworkRunner(
      pluginPath: node.runner(in: surroundings).pluginPath, cache: node.cache,
      environment: environment)
    let before = [try host.namespace.stand { try Sight() }, try pod.stand { try Sight() }]
    var told = Told(lines: [])
    do {
      let result = try host.namespace.stand { try runner.add(arguments, to: list) }
      let text = String(decoding: try result.printed(for: list.version), as: UTF8.self)
      told.lines = ["the result", text]
    } catch let error as ProtocolError {
      told.failure = error
    }
    let after = [try host.namespace.stand { try Sight() }, try pod.stand { try Sight() }]
    var chapters = [Chapter("the steps", try steps(log))]
    chapters.append(Chapter("on the host", after[0].news(since: before[0])))
    chapters.append(Chapter("in the pod", after[1].news(since: before[1])))
    var files: [String] = []
    for (directory, upper) in zip(directories, written) {
      files += try names(below: upper).map { "file \(directory)\($0)" }
    }
    chapters.append(Chapter("on disk", files.filter { $0 != "file \(log)" }.sorted()))
    told.lines = chapters.flatMap(\.lines) + told.lines
    return told
  }

  /// A heading and what stands below it.
  private struct Chapter {
    let lines: [String]

    init(_ title: String, _ lines: [String]) {
      self.lines = [title] + (lines.isEmpty ? ["  nothing"] : lines.map { "  \($0)" })
    }
  }

  private func arguments(
    in path: String, _ surroundings: Surroundings
  ) throws -> AttachmentArguments {
    var arguments = AttachmentArguments(
      container: try ContainerID(container), namespacePath: path,
      interface: try InterfaceName(interface))
    if let text = surroundings.variable("CNI_ARGS") {
      arguments.arguments = try [AttachmentArguments.Pair](commandArguments: text)
    }
    if let text = surroundings.variable("CAP_ARGS") {
      arguments.capabilities = try AttachmentOptions.capabilities(text)
    }
    return arguments
  }
}

// MARK: - Files

extension Explain {
  /// The directories that plugins may write to: the usual ones, and those of the list.
  private func shadowed(by list: NetworkList) throws -> [String] {
    var directories = ["/etc", "/run", "/var"]
    let named = list.plugins.flatMap { plugin in
      let fields = JSONFields(plugin)
      return [fields.value("dataDir"), fields.value("ipam")?.objectValue?["dataDir"]]
        .compactMap { $0?.textValue }
    }
    for path in named + [node.stateDirectory] where path.hasPrefix("/") {
      guard let found = try existing(path), found != "/", found != "/tmp",
        !directories.contains(where: { found == $0 || found.hasPrefix("\($0)/") })
      else { continue }
      directories.removeAll { $0.hasPrefix("\(found)/") }
      directories.append(found)
    }
    return try directories.filter { try existing($0) == $0 }
  }

  /// The path, or the nearest directory above it that is there.
  private func existing(_ path: String) throws -> String? {
    var parts = path.split(separator: "/")
    while !parts.isEmpty {
      let candidate = "/" + parts.joined(separator: "/")
      if try File.status(of: candidate, followingLink: true)?.kind == .directory {
        return candidate
      }
      parts.removeLast()
    }
    return nil
  }

  private func makeDirectory() throws -> String {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    let path = "/tmp/cnictl-explain-\(random)"
    try Directory.create(path, mode: 0o700)
    return path
  }

  private func removeDirectory(_ path: String, _ surroundings: Surroundings) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      surroundings.warn("cannot remove \(path): \(error)")
    }
  }

  /// The files at any depth, as `/a/b`; what was removed is said to be.
  private func names(below directory: String) throws -> [String] {
    var names: [String] = []
    for name in try Directory.entries(of: directory) {
      let path = "\(directory)/\(name)"
      switch try File.status(of: path)?.kind {
      case .directory: names += try self.names(below: path).map { "/\(name)\($0)" }
      case .special: names.append("/\(name), which goes")
      default: names.append("/\(name)")
      }
    }
    return names
  }

  /// What the plugins have told of their steps: plugin and time, without what is the same on each line.
  private func steps(_ log: String) throws -> [String] {
    guard try File.status(of: log) != nil else { return [] }
    let text = String(decoding: try File.read(log, limit: 1 << 20), as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 2, let place = words.firstIndex(where: { $0.hasPrefix("took=") })
      else { return nil }
      let took = words[place].dropFirst("took=".count)
      return "\(words[1]): \(took) \(words[(place + 1)...].joined(separator: " "))"
    }
  }
}
