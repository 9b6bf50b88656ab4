internal import ArgumentParser
internal import CNI
internal import Plumbing
internal import Services

/// Where services are defined, and where this node keeps what it knows of them.
struct ServiceOptions: ParsableArguments {
  @Option(
    name: .customLong("services-dir"),
    help: ArgumentHelp("Where definitions are.", valueName: "dir"), completion: .directory)
  var definitions = ServicePaths().definitions

  @Option(
    help: ArgumentHelp("The settings of the node.", valueName: "file"), completion: .file())
  var settingsFile = ServicePaths().settings

  @Option(
    help: ArgumentHelp("What is gone after a reboot.", valueName: "dir"), completion: .directory)
  var runDir = ServicePaths().run

  @Option(
    name: .customLong("service-state-dir"),
    help: ArgumentHelp("What outlives a reboot.", valueName: "dir"), completion: .directory)
  var stateDirectory = ServicePaths().state

  func paths(in surroundings: Surroundings) -> ServicePaths {
    var paths = ServicePaths()
    paths.definitions = surroundings.absolute(definitions)
    paths.settings = surroundings.absolute(settingsFile)
    paths.run = surroundings.absolute(runDir)
    paths.state = surroundings.absolute(stateDirectory)
    return paths
  }

  func node(in surroundings: Surroundings) -> ServiceNode<KernelServices> {
    ServiceNode(paths(in: surroundings), .ofThisHost { surroundings.warn($0) })
  }

  /// The services of the node; none where they cannot be read, which is told.
  func known(in surroundings: Surroundings) -> [ResolvedService] {
    do throws(ServiceError) {
      return try node(in: surroundings).services()
    } catch {
      surroundings.warn("services are left out: \(error)")
      return []
    }
  }
}

extension KernelServices {
  /// The tables of services in the namespace that the thread stands in.
  static func ofThisHost(log: @escaping (String) -> Void) -> KernelServices {
    KernelServices(
      KernelServices.Node(
        primaryAddresses: NodeAddresses.primary, isOwn: NodeAddresses.isOwn,
        outlook: ServiceRoutes.look, makeWays: ServiceRoutes.add,
        serve: UplinkAddresses.settle(_:former:by:announcingAll:), log: log))
  }
}
