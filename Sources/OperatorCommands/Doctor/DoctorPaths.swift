internal import ArgumentParser
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink
internal import Services

/// Where everything is that a node keeps for its pods, as the lists say or as is usual.
struct DoctorPaths {
  /// Where lists are.
  var configuration: ConfigurationDirectory
  /// Runs plugins, and knows the remembered results.
  var runner: NetworkRunner
  /// What `--state-dir` says.
  var state: String
  /// Where definitions of services and files of the flat network are.
  var node: String
  /// What is gone after a boot.
  var run: String
  /// What the node itself keeps for ever.
  var nodeState: String

  var cache: ResultCache { runner.cache }
  /// The parent of host-local's directories, unless a list says otherwise.
  var leases: String { "\(state)/networks" }

  /// The directories of leases that lists name, by network.
  func leaseDirectories(of lists: [NetworkList]) -> [String: String] {
    var directories: [String: String] = [:]
    for list in lists {
      for plugin in list.plugins {
        guard let ipam = plugin["ipam"]?.objectValue, ipam["type"] == "host-local" else { continue }
        let parent = ipam["dataDir"]?.textValue ?? ""
        directories[list.name.text] = "\(parent.isEmpty ? leases : parent)/\(list.name)"
      }
    }
    return directories
  }

  /// Where a list's plugin tuning keeps its backups.
  func tuningDirectories(of list: NetworkList) -> [String] {
    list.plugins.filter { $0["type"] == "tuning" }.map {
      let directory = $0["dataDir"]?.textValue ?? ""
      return directory.isEmpty ? UsualPlaces.tuningBackups : directory
    }
  }

  /// Where a list's plugin service finds and keeps its files.
  func servicePaths(of list: NetworkList) -> [ServicePaths] {
    list.plugins.filter { $0["type"] == "service" }.map { plugin in
      func path(_ key: String, orElse usual: String) -> String {
        let text = plugin[key]?.textValue ?? ""
        return text.isEmpty ? usual : text
      }
      var paths = usualServicePaths
      paths.definitions = path("servicesDir", orElse: paths.definitions)
      paths.settings = path("settingsFile", orElse: paths.settings)
      paths.run = path("runDir", orElse: paths.run)
      paths.state = path("stateDir", orElse: paths.state)
      return paths
    }
  }

  /// Where services are that no list says anything of.
  var usualServicePaths: ServicePaths {
    var paths = ServicePaths()
    paths.definitions = "\(node)/services.d"
    paths.settings = "\(node)/services.json"
    paths.run = run
    paths.state = "\(nodeState)/services"
    return paths
  }

  /// The services at a place.
  static func services(_ paths: ServicePaths) -> ServiceNode<KernelServices> {
    ServiceNode(paths, .ofThisHost { _ in })
  }

  /// The files of the flat network.
  func flatNetwork() throws -> FlatNetworkOptions {
    try FlatNetworkOptions.parse([
      "--config-dir", node, "--run-dir", run, "--state-dir", nodeState,
    ])
  }
}

extension DoctorPaths {
  /// Where a verb is told that things are; the rest is where it usually is.
  init(of node: NodeOptions, in surroundings: Surroundings) {
    self.init(
      configuration: node.configuration(in: surroundings), runner: node.runner(in: surroundings),
      state: surroundings.absolute(node.stateDirectory), node: "/etc/swift-cni",
      run: "/run/swift-cni", nodeState: "/var/lib/swift-cni")
  }
}

/// Where the node keeps things, as the command line says it.
struct DoctorOptions: ParsableArguments {
  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  @Option(
    name: .customLong("node-dir"),
    help: ArgumentHelp("Where node.json, peers.d and services.d are.", valueName: "dir"),
    completion: .directory)
  var nodeDirectory = "/etc/swift-cni"

  @Option(
    name: .customLong("run-dir"),
    help: ArgumentHelp("What is gone after a boot.", valueName: "dir"), completion: .directory)
  var runDirectory = "/run/swift-cni"

  @Option(
    name: .customLong("node-state-dir"),
    help: ArgumentHelp("What the node keeps for itself.", valueName: "dir"), completion: .directory)
  var nodeStateDirectory = "/var/lib/swift-cni"

  @Option(
    help: ArgumentHelp(
      "After how many milliseconds to look again where something seems to have no owner; its pod "
        + "may just be starting.", valueName: "ms"))
  var patience = 1000

  func paths(in surroundings: Surroundings) -> DoctorPaths {
    var paths = DoctorPaths(of: node, in: surroundings)
    paths.node = surroundings.absolute(nodeDirectory)
    paths.run = surroundings.absolute(runDirectory)
    paths.nodeState = surroundings.absolute(nodeStateDirectory)
    return paths
  }

  /// What is wrong with the node; ends the command with 3 when nobody could look.
  func diagnosis(
    of paths: DoctorPaths, _ network: String?, in surroundings: Surroundings
  ) throws -> Diagnosis {
    do {
      return try Diagnosis(paths, network: network, patience: .milliseconds(patience))
    } catch {
      surroundings.warn("\(error)")
      throw ExitCode(3)
    }
  }
}
