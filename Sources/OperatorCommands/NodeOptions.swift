internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import Linux

/// Where this node keeps its networks, its plugins and its memory.
struct NodeOptions: ParsableArguments {
  @Option(
    name: .customLong("config-dir"),
    help: ArgumentHelp(
      "Where network lists are: $NETCONFPATH, else /etc/cni/net.d.", valueName: "dir"),
    completion: .directory)
  var configurationDirectory: String?

  @Option(
    help: ArgumentHelp(
      "Where plugins are, parted by colons: $CNI_PATH, else /opt/cni/bin.", valueName: "dirs"),
    completion: .directory)
  var pluginPath: String?

  @Option(
    name: .customLong("state-dir"),
    help: ArgumentHelp(
      "Where results and leases are kept: results/ and networks/ below it.", valueName: "dir"),
    completion: .directory)
  var stateDirectory = "/var/lib/cni"

  func configuration(in surroundings: Surroundings) -> ConfigurationDirectory {
    ConfigurationDirectory(
      path: configurationDirectory ?? surroundings.variable("NETCONFPATH") ?? "/etc/cni/net.d")
  }

  func runner(in surroundings: Surroundings) -> NetworkRunner {
    let path = pluginPath ?? surroundings.variable("CNI_PATH") ?? "/opt/cni/bin"
    let directories = path.split(separator: ":").map { surroundings.absolute(String($0)) }
    return NetworkRunner(
      pluginPath: PluginPath(directories.joined(separator: ":")), cache: cache,
      environment: surroundings.environment)
  }

  var cache: ResultCache { ResultCache(below: stateDirectory) }

  /// What the node knows of its networks, or of one of them.
  func report(on network: String?, in surroundings: Surroundings) throws -> NodeReport {
    var survey = NodeSurvey(cache: cache, leaseDirectory: "\(stateDirectory)/networks")
    var report = survey.report(on: configuration(in: surroundings))
    guard let network else { return report }
    report.networks.removeAll { $0.name != network }
    if report.networks.isEmpty { throw OperatorFailure("there is no network \(network)") }
    return report
  }

  /// The network of a name; broken files beside it are told, since one may have been meant.
  func network(
    named name: String, in surroundings: Surroundings
  ) throws(ProtocolError) -> NetworkList {
    let found = try configuration(in: surroundings).network(named: name)
    for file in found.brokenFiles { surroundings.warn("cannot read \(file)") }
    return found.list
  }
}
