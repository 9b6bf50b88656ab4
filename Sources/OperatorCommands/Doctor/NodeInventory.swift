internal import Addressing
internal import CNI
internal import CNIRuntime
internal import IPAM
internal import Linux
internal import Plumbing
internal import Services

/// What a node holds for pods, in files and in the kernel, and which pods are remembered.
///
/// What is held is read before what is remembered: an ADD that ends in between has then left both.
struct NodeInventory {
  /// The networks by their lists; of two with one name the first.
  private(set) var lists: [NetworkList] = []
  /// The pods whose results are remembered.
  private(set) var pods: [RememberedPod] = []
  /// What is held, and by whom.
  private(set) var belongings: [Belonging] = []
  /// The leases of each network.
  private(set) var leases: [String: [DirectoryLeaseStore.Sighting]] = [:]
  /// What could not be read.
  private(set) var findings: [Finding] = []

  private let paths: DoctorPaths

  /// Takes stock in the namespace that the thread stands in.
  init(_ paths: DoctorPaths) {
    self.paths = paths
    noting("lists of networks", in: paths.configuration.path) { this in try this.readLists() }
    var elements: [OwnedElement] = []
    noting("tables of the packet filter", in: "the kernel") { _ in
      elements = try Belonging.elements()
    }
    noting("links", in: "the kernel") { this in this.belongings += try Belonging.links() }
    noting("leases", in: paths.leases) { this in try this.readLeases() }
    readFiles()
    noting("results", in: paths.cache.directory) { this in try this.readResults() }
    for place in belongings.indices where belongings[place].hasGuessedInterface {
      let owner = belongings[place].owner.attachment
      let pod = pods.first {
        $0.attachment.network == owner?.network && $0.attachment.container == owner?.container
      }
      if let pod { belongings[place].owner = .attachment(pod.attachment) }
    }
    let known = Set(belongings.compactMap(\.owner.attachment) + pods.map(\.attachment))
    belongings += Belonging.naming(
      elements, known: known, networks: Set(lists.map(\.name) + known.map(\.network)))
  }

  /// The list of a network.
  func list(of network: String) -> NetworkList? { lists.first { $0.name.text == network } }

  /// What is remembered of an attachment.
  func pod(_ attachment: Attachment) -> RememberedPod? {
    pods.first { $0.attachment == attachment }
  }

  /// The file in which a pod's result is remembered.
  func path(of pod: RememberedPod) -> String { paths.cache.path(of: pod.attachment) }

  private mutating func readLists() throws {
    let contents = try paths.configuration.contents()
    for list in contents.lists where self.list(of: list.name.text) == nil { lists.append(list) }
    findings += contents.brokenFiles.map { file in
      Finding(
        kind: .listUnreadable, what: "\(file.reason)", place: file.path,
        remedy: "correct \(file.path), or take it away")
    }
  }

  private mutating func readLeases() throws {
    var directories = paths.leaseDirectories(of: lists)
    for name in try entries(of: paths.leases) where directories[name] == nil {
      directories[name] = "\(paths.leases)/\(name)"
    }
    for (network, directory) in directories.sorted(by: { $0.key < $1.key }) {
      guard try File.status(of: directory, followingLink: true)?.kind == .directory else {
        continue
      }
      noting("leases", in: directory) { this in
        let found = try DirectoryLeaseStore.sightings(in: directory)
        this.leases[network] = found
        this.belongings += found.compactMap {
          Belonging(lease: $0, of: network, in: directory)
        }
      }
    }
  }

  private mutating func readFiles() {
    for list in lists {
      for directory in paths.tuningDirectories(of: list) {
        noting("tuning's backups", in: directory) { this in
          let folder = "\(directory)/.swift-cni/\(list.name)"
          this.belongings += try this.entries(of: folder).compactMap {
            Belonging(backup: $0, of: list.name, in: folder)
          }
        }
      }
      for paths in paths.servicePaths(of: list) {
        noting("endpoints of services", in: paths.run) { this in
          this.belongings += try DoctorPaths.services(paths).owners(on: list.name.text)
            .compactMap { Belonging(endpoint: $0, below: paths.run) }
        }
      }
    }
  }

  private mutating func readResults() throws {
    let contents = try paths.cache.contents()
    findings += contents.brokenFiles.map { file in
      Finding(
        kind: .resultUnreadable, what: "\(file.reason)", place: file.path,
        remedy: "rm \(file.path)")
    }
    for cached in contents.attachments {
      let path = list(of: cached.network.text)?.path
      noting("the list", in: paths.cache.path(of: cached.attachment)) { this in
        this.pods.append(try RememberedPod(cached, listAt: path))
      }
    }
  }

  private func entries(of directory: String) throws(SystemError) -> [String] {
    do throws(SystemError) {
      return try Directory.entries(of: directory)
    } catch {
      guard error.errno == .noEntry else { throw error }
      return []
    }
  }

  /// Goes on after an error, which becomes a finding.
  private mutating func noting(
    _ subject: String, in place: String, _ work: (inout NodeInventory) throws -> Void
  ) {
    do {
      try work(&self)
    } catch {
      findings.append(
        Finding(
          kind: .stateUnreadable, what: "\(subject) cannot be read: \(error)", place: place,
          remedy: "ls -ld \(place.hasPrefix("/") ? place : "/proc/self/ns/net"), as root"))
    }
  }
}

/// A pod's interface of which an ADD is remembered.
struct RememberedPod {
  let cached: CachedAttachment
  /// The list as it was then.
  let list: NetworkList
  let state: NamespaceState
  /// The result of the ADD.
  let result: PluginResult

  init(_ cached: CachedAttachment, listAt path: String?) throws(ProtocolError) {
    self.cached = cached
    list = try cached.list(at: path)
    state = NamespaceState(of: cached.namespacePath)
    result = try cached.readResult() ?? PluginResult()
  }

  var attachment: Attachment { cached.attachment }

  /// What a person calls it.
  var name: String { cached.podName ?? cached.arguments.container.text }

  /// How a runtime would ask about it.
  var arguments: AttachmentArguments {
    var arguments = cached.arguments
    arguments.namespacePath = cached.namespacePath
    return arguments
  }
}
