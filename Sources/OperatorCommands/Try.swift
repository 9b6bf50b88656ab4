internal import Addressing
internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import Linux

/// Builds a network with two pods and a service in namespaces of its own, tries it, and takes it away
/// again.
struct Try: Verb {
  static let configuration = CommandConfiguration(
    commandName: "try",
    abstract: "Build a network with two pods in a corner of its own, try it, and remove it.",
    discussion: """
      Makes a host, two pods and an outside, each a network namespace without a name, and lets the \
      plugins connect them: a bridge, IPv4 and IPv6, masquerading. Then the pods reach each other, \
      the host and the outside with real packets, and both answer for a service, by turns. The pods \
      are deleted, and nothing may be left. This host's own network is not touched. Needs root.
      """)

  @Option(
    help: ArgumentHelp(
      "Where plugins are, parted by colons: $CNI_PATH, else /opt/cni/bin.", valueName: "dirs"),
    completion: .directory)
  var pluginPath: String?

  func perform(in surroundings: Surroundings) throws {
    let path = pluginPath ?? surroundings.variable("CNI_PATH") ?? "/opt/cni/bin"
    let directories = path.split(separator: ":").map { surroundings.absolute(String($0)) }
    let plugins = PluginPath(directories.joined(separator: ":"))
    try requirePlugins(in: plugins)
    let realStores = ["/var/lib/cni/networks", "/var/lib/cni/results"]
    let before = try stock(of: realStores)
    // What is interrupted tidies up first; it does not last long.
    try DeferredSignals.during { try rehearse(with: plugins, in: surroundings) }
    let after = try Leftovers(directories: realStores)
    try judge(after.added(since: before) + after.lost(since: before), in: surroundings)
    try surroundings.print("✔ this host's own network is as it was before")
  }

  private func rehearse(with plugins: PluginPath, in surroundings: Surroundings) throws {
    let families: [IPFamily] =
      try File.status(of: "/proc/net/if_inet6") == nil ? [.v4] : [.v4, .v6]
    if families.count == 1 { surroundings.warn("this kernel has no IPv6; trying IPv4 only") }
    let stage = try TryStage(families: families)
    try TryService.define(families, at: TryService.paths(below: stage.directory))
    try Rehearsal(
      list: try TryNetwork.list(families: families, below: stage.directory),
      runner: NetworkRunner(
        pluginPath: plugins, cache: ResultCache(below: stage.directory),
        environment: surroundings.environment),
      surroundings: surroundings
    ).run(on: stage)
  }

  /// Tells what has changed on this host meanwhile; only what bears our names is a failure.
  ///
  /// A node goes on working while this runs, and its pods come and go.
  private func judge(_ changes: [String], in surroundings: Surroundings) throws {
    let names = [TryNetwork.bridge, "/\(TryNetwork.name)/", "/\(TryNetwork.name)-"]
    let ours = changes.filter { change in names.contains { change.contains($0) } }
    guard ours.isEmpty else { throw OperatorFailure("left on this host: \(listed(ours))") }
    if !changes.isEmpty {
      surroundings.warn("meanwhile somebody else has changed on this host: \(listed(changes))")
    }
  }

  /// The first look at this host, which is also where a lack of rights shows.
  private func stock(of stores: [String]) throws -> Leftovers {
    do throws(SystemError) {
      _ = try NetworkNamespace.make()
    } catch {
      guard error.errno == .notPermitted else { throw error }
      throw OperatorFailure(
        "cnictl try makes network namespaces and needs root", advice: "Try: sudo cnictl try")
    }
    return try Leftovers(directories: stores)
  }

  private func requirePlugins(in path: PluginPath) throws {
    for name in ["bridge", "host-local", "service"] {
      do throws(ProtocolError) {
        _ = try path.find(name)
      } catch {
        throw OperatorFailure(
          "\(error)",
          advice: "Install the plugins with ./install.sh, or name their directory by "
            + "--plugin-path.")
      }
    }
  }
}

func listed(_ things: [String]) -> String {
  things.joined(separator: "; ")
}
