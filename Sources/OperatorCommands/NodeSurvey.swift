internal import Addressing
internal import CNI
internal import CNIRuntime
internal import IPAM
internal import JSON
internal import Linux

/// Gathers what a node knows of its networks; what cannot be read stops nothing.
struct NodeSurvey {
  private let cache: ResultCache
  private let leaseDirectory: String
  private var report = NodeReport()
  /// The directories of leases, by network; a list may keep its own elsewhere.
  private var leaseDirectories: [String: String] = [:]

  init(cache: ResultCache, leaseDirectory: String) {
    self.cache = cache
    self.leaseDirectory = leaseDirectory
  }

  /// Looks at lists, remembered results and leases, in this order.
  mutating func report(on configuration: ConfigurationDirectory) -> NodeReport {
    note { survey throws(ProtocolError) in try survey.addLists(of: configuration) }
    note { survey throws(ProtocolError) in try survey.addResults() }
    addLeases()
    report.networks.sort { $0.name < $1.name }
    return report
  }

  private mutating func addLists(
    of configuration: ConfigurationDirectory
  ) throws(ProtocolError) {
    let contents = try configuration.contents()
    report.problems += contents.brokenFiles.map { "cannot read \($0)" }
    for list in contents.lists where !report.networks.contains(where: { $0.name == list.name.text })
    {
      report.networks.append(
        NodeReport.Network(
          name: list.name.text, file: list.path,
          plugins: list.plugins.compactMap { $0["type"]?.textValue }))
      for plugin in list.plugins {
        guard let ipam = plugin["ipam"]?.objectValue, ipam["type"] == "host-local",
          let directory = ipam["dataDir"]?.textValue, !directory.isEmpty
        else { continue }
        leaseDirectories[list.name.text] = directory
      }
    }
  }

  private mutating func addResults() throws(ProtocolError) {
    let contents = try cache.contents()
    report.problems += contents.brokenFiles.map { "cannot read \($0)" }
    for cached in contents.attachments {
      var result = PluginResult()
      var ports: [PortMapping] = []
      note { _ throws(ProtocolError) in result = try cached.readResult() ?? result }
      note { _ throws(ProtocolError) in ports = try cached.portMappings }
      let path = cached.namespacePath
      add(
        NodeReport.Attachment(
          container: cached.arguments.container.text,
          interface: cached.arguments.interface.text, pod: cached.podName,
          addresses: result.addresses.map(\.address.description),
          hostLinks: result.interfaces.filter(\.sandbox.isEmpty).map(\.name),
          ports: ports.map(\.arrow),
          namespacePath: path.isEmpty ? nil : path, namespaceState: NamespaceState(of: path),
          since: stamp(of: cache.path(of: cached.attachment)), source: .result),
        to: cached.network.text)
    }
  }

  /// Adds the owners of addresses about whom no result is remembered.
  private mutating func addLeases() {
    var directories = leaseDirectories.mapValues { $0 }
    for (network, parent) in leaseDirectories { directories[network] = "\(parent)/\(network)" }
    do throws(SystemError) {
      for name in try Directory.entries(of: leaseDirectory) where directories[name] == nil {
        directories[name] = "\(leaseDirectory)/\(name)"
      }
    } catch {
      if error.errno != .noEntry { report.problems.append("\(error)") }
    }
    for (network, directory) in directories.sorted(by: { $0.key < $1.key }) {
      addLeases(in: directory, of: network)
    }
  }

  private mutating func addLeases(in directory: String, of network: String) {
    do {
      var settings = LeaseStoreSettings()
      settings.lockTimeout = .seconds(5)
      guard var store = try DirectoryLeaseStore.existing(directory, settings: settings)
      else { return }
      for lease in try store.allLeases() {
        add(lease, since: stamp(of: "\(directory)/\(lease.address)"), to: network)
      }
    } catch {
      report.problems.append("\(directory): \(error)")
    }
  }

  private mutating func add(_ lease: Lease, since: FileStamp?, to network: String) {
    let place = place(of: network)
    let known = report.networks[place].attachments.firstIndex {
      $0.container == lease.owner.container
        && (lease.owner.interface == nil || $0.interface == lease.owner.interface)
    }
    if let known {
      // A result tells its addresses itself, with their prefixes.
      guard report.networks[place].attachments[known].source == .lease else { return }
      report.networks[place].attachments[known].addresses.append(lease.address.description)
    } else {
      add(
        NodeReport.Attachment(
          container: lease.owner.container, interface: lease.owner.interface,
          addresses: [lease.address.description], namespaceState: .unknown, since: since,
          source: .lease),
        to: network)
    }
  }

  private mutating func add(_ attachment: NodeReport.Attachment, to network: String) {
    report.networks[place(of: network)].attachments.append(attachment)
  }

  private mutating func place(of network: String) -> Int {
    if let place = report.networks.firstIndex(where: { $0.name == network }) { return place }
    report.networks.append(NodeReport.Network(name: network))
    return report.networks.count - 1
  }

  private mutating func note(_ body: (inout NodeSurvey) throws(ProtocolError) -> Void) {
    do throws(ProtocolError) {
      try body(&self)
    } catch {
      report.problems.append("\(error)")
    }
  }

  private func stamp(of path: String) -> FileStamp? {
    do throws(SystemError) {
      return try File.status(of: path)?.modified
    } catch {
      // Only a help: the attachment is shown without it.
      return nil
    }
  }
}

extension CachedAttachment {
  /// The ports that the runtime asked for.
  fileprivate var portMappings: [PortMapping] {
    get throws(ProtocolError) {
      try RuntimeConfiguration(JSONFields(arguments.capabilities)).portMappings
    }
  }

  /// Namespace and name of the pod, where a Kubernetes runtime or Podman has told them.
  var podName: String? {
    let wish = { (key: String) in arguments.arguments.first { $0.key == key }?.value }
    guard let name = wish("K8S_POD_NAME") else { return nil }
    return wish("K8S_POD_NAMESPACE").map { "\($0)/\(name)" } ?? name
  }
}

extension PortMapping {
  /// From where to where, as people write it.
  fileprivate var arrow: String {
    let address = hostAddress.map { $0.family == .v6 ? "[\($0)]:" : "\($0):" } ?? ""
    return "\(address)\(hostPort)/\(transport) → \(containerPort)"
  }
}
