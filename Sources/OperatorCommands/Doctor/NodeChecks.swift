internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux
internal import NodeFiles
internal import Overlay
internal import Services

/// What is not about one network: who may write where, services, the flat network, pods with several
/// interfaces.
struct NodeChecks {
  let paths: DoctorPaths
  let inventory: NodeInventory

  var findings: [Finding] {
    permissions + services + flatNetwork + reversePaths
  }

  // MARK: Who may write

  /// Directories of state, lists and plugins in which somebody else than root may write.
  private var permissions: [Finding] {
    var directories = [paths.configuration.path] + paths.runner.pluginPath.directories
    directories += [paths.state, paths.cache.directory, paths.leases, paths.node, paths.run]
    directories += inventory.lists.flatMap { list in
      paths.tuningDirectories(of: list)
        + paths.servicePaths(of: list).flatMap { [$0.definitions, $0.run, $0.state] }
    }
    directories += paths.leaseDirectories(of: inventory.lists).values.sorted()
    var files = inventory.pods.map(inventory.path)
    files += inventory.lists.compactMap(\.path)
    files += inventory.belongings.filter { $0.kind == .leaseWithoutPod }.map(\.place)
    var seen: Set<String> = []
    return (directories + files).filter { seen.insert($0).inserted }.compactMap(permission)
  }

  private func permission(of path: String) -> Finding? {
    let status: FileStatus?
    do throws(SystemError) {
      status = try File.status(of: path, followingLink: true)
    } catch {
      // What uses it tells of it.
      return nil
    }
    guard let status else { return nil }
    if status.mode.rawValue & 0o022 != 0 {
      let who = status.mode.rawValue & 0o002 != 0 ? "everybody" : "its group"
      return Finding(
        kind: .unsafePermissions, what: "\(who) may write to \(path)", place: path,
        remedy: "chmod go-w \(path)")
    }
    guard status.owner != 0, status.owner != ownUser else { return nil }
    return Finding(
      kind: .unsafePermissions, what: "\(path) belongs to user \(status.owner)", place: path,
      remedy: "chown root: \(path)")
  }

  private var ownUser: UInt32 {
    do throws(SystemError) {
      return try File.status(of: "/proc/self", followingLink: true)?.owner ?? 0
    } catch {
      return 0
    }
  }

  // MARK: Services and the flat network

  private var services: [Finding] {
    var places = [paths.usualServicePaths]
    for place in inventory.lists.flatMap(paths.servicePaths) where !places.contains(place) {
      places.append(place)
    }
    return places.flatMap { place -> [Finding] in
      do throws(ServiceError) {
        return try DoctorPaths.services(place).differences().map { difference in
          servicesFinding(difference, place)
        }
      } catch {
        return [servicesFinding("\(error)", place)]
      }
    }
  }

  private func servicesFinding(_ what: String, _ place: ServicePaths) -> Finding {
    let isUsual = place == paths.usualServicePaths
    return Finding(
      kind: .servicesDiffer, what: what, place: place.definitions,
      remedy: isUsual
        ? "cnictl service apply"
        : "cnictl service apply --services-dir \(place.definitions) "
          + "--settings-file \(place.settings) --run-dir \(place.run) "
          + "--service-state-dir \(place.state)",
      mend: isUsual ? .applyServices : nil)
  }

  private var flatNetwork: [Finding] {
    let place = "\(paths.node)/node.json"
    func finding(_ what: String) -> Finding {
      Finding(
        kind: .flatNetworkDiffers, what: what, place: place, remedy: "cnictl node apply",
        mend: .applyFlatNetwork)
    }
    do {
      guard try File.status(of: place, followingLink: true) != nil else { return [] }
      let options = try paths.flatNetwork()
      guard try File.status(of: options.subnetFile) != nil else {
        return [finding("the flat network has not been applied since the last boot")]
      }
      return try options.pending().map(finding)
    } catch {
      return [finding("\(error)")]
    }
  }

  // MARK: Pods with several interfaces

  /// Strict reverse path filtering in a pod that can be reached in several ways.
  private var reversePaths: [Finding] {
    let pods = Dictionary(grouping: inventory.pods.filter { $0.state == .present }) {
      $0.attachment.container
    }
    return pods.values.filter { $0.count > 1 }.flatMap { interfaces in
      interfaces.filter { !$0.routesBySource }.compactMap(strictness)
    }
  }

  private func strictness(of pod: RememberedPod) -> Finding? {
    let interface = pod.attachment.interface.text
    let values: [String?]
    do {
      values = try NetworkNamespace(path: pod.cached.namespacePath).stand {
        ["all", interface].map {
          PodChecks.value(["net", "ipv4", "conf", $0, "rp_filter"])
        }
      }
    } catch {
      return nil
    }
    // The kernel takes the higher of the two: 2 is loose, 1 is strict.
    guard values.compactMap({ $0 }).max() == "1" else { return nil }
    return Finding(
      kind: .strictReversePath, network: pod.attachment.network.text, attachment: pod.attachment,
      pod: pod.name, what: "rp_filter of \(interface) is strict, and the pod has other interfaces",
      place: "\(interface) of \(pod.name)",
      remedy: "chain {\"type\": \"sbr\"}, or {\"type\": \"tuning\", \"sysctl\": "
        + "{\"net.ipv4.conf.IFNAME.rp_filter\": \"2\"}}")
  }
}

extension RememberedPod {
  /// Whether answers leave by the interface whose address they carry.
  fileprivate var routesBySource: Bool {
    list.plugins.contains { $0["type"] == "sbr" || $0["type"] == "vrf" }
  }
}

extension FlatNetworkOptions {
  /// What an apply would change; the node's subnets must have been allotted.
  func pending() throws -> [String] {
    let network = try told { () throws(OverlayError) in try FlatNetwork() }
    let picture = try picture(on: network)
    return try told { () throws(OverlayError) in try network.pending(picture.plan) }
      + picture.peers.problems.map(\.description) + picture.plan.problems
  }
}
