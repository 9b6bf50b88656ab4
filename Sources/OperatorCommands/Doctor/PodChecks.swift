internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// What living pods are owed and have not, as the plugins themselves tell it by CHECK.
struct PodChecks {
  let runner: NetworkRunner
  let inventory: NodeInventory
  /// Which plugins are of this suite, asked once for each.
  private var makers: [String: Bool] = [:]

  init(_ runner: NetworkRunner, _ inventory: NodeInventory) {
    self.runner = runner
    self.inventory = inventory
  }

  mutating func findings(on network: String?) -> [Finding] {
    var findings: [Finding] = []
    for pod in inventory.pods
    where pod.state == .present
      && (network ?? pod.attachment.network.text)
        == pod.attachment.network.text
    {
      findings += complaints(about: pod)
      findings += forwarding(of: pod)
      findings += deafPorts(of: pod)
    }
    return findings
  }

  private mutating func complaints(about pod: RememberedPod) -> [Finding] {
    do {
      let complaints = try runner.complaints(of: pod.arguments, on: pod.list)
      guard !complaints.isEmpty, try isStillThere(pod) else { return [] }
      return complaints.map { finding(pod, $0) }
    } catch {
      return [
        Finding(
          kind: .resultUnreadable, network: pod.attachment.network.text,
          attachment: pod.attachment, pod: pod.name, what: "\(error)",
          place: inventory.path(of: pod), remedy: "start \(pod.name) again")
      ]
    }
  }

  /// Whether it has not been deleted while it was being looked at.
  private func isStillThere(_ pod: RememberedPod) throws -> Bool {
    try runner.cache.attachment(pod.attachment) != nil
      && NamespaceState(of: pod.cached.namespacePath) == .present
  }

  private mutating func finding(
    _ pod: RememberedPod, _ complaint: NetworkRunner.Complaint
  ) -> Finding {
    let type = complaint.plugin
    let isOurs = makers[type] ?? runner.isOurs(type)
    makers[type] = isOurs
    let network = pod.attachment.network.text
    return Finding(
      kind: .podIncomplete, network: network, attachment: pod.attachment, pod: pod.name,
      what: complaint.error.message,
      place: "plugin \(type), \(pod.attachment.interface) of \(pod.name)",
      remedy: isOurs
        ? "cnictl repair --network \(network)"
        : "start \(pod.name) again; this plugin \(type) is not of swift-cni and cannot repair",
      mend: isOurs ? .restore(pod.attachment, place: complaint.place) : nil)
  }

  /// Ports that are mapped at an address which this host does not have; upstream's plugin and ours take
  /// it, since it may come later.
  private func deafPorts(of pod: RememberedPod) -> [Finding] {
    guard pod.list.plugins.contains(where: { $0["type"] == "portmap" }),
      case .array(let mappings)? = pod.cached.arguments.capabilities["portMappings"]
    else { return [] }
    return mappings.compactMap { mapping in
      guard let keys = mapping.objectValue, let text = keys["hostIP"]?.textValue,
        Self.isElsewhere(text)
      else { return nil }
      let port = keys["hostPort"].map { JSONWriter.text($0) } ?? "?"
      return Finding(
        kind: .hostAddressMissing, network: pod.attachment.network.text,
        attachment: pod.attachment, pod: pod.name,
        what: "port \(port) of \(text) leads to \(pod.name), and this host has no such address",
        place: "portMappings of \(pod.name)",
        remedy: "give \(text) to a link of this host, or start \(pod.name) with another hostIP")
    }
  }

  /// Whether a text is an address, and not one of this host.
  private static func isElsewhere(_ text: String) -> Bool {
    do {
      let address = try IPAddress(text)
      guard !address.isUnspecified else { return false }
      return try NetlinkSocket<RouteFamily>().findRoute(to: address)?.type != .local
    } catch {
      // What is no address ADD has refused, and what cannot be asked cannot be told.
      return false
    }
  }

  /// A pod with a gateway on this host needs the host to forward.
  private mutating func forwarding(of pod: RememberedPod) -> [Finding] {
    guard let first = pod.list.plugins.first, Self.makesHostRoute(first) else { return [] }
    let families = Set(
      pod.result.addresses.filter { $0.gateway != nil }.map(\.address.family))
    return IPFamily.allCases.filter(families.contains).compactMap { family in
      let name = family.forwardingSetting
      guard Self.value(name) == "0" else { return nil }
      let isOurs = runner.isOurs(first["type"]?.textValue ?? "")
      return Finding(
        kind: .forwardingOff, network: pod.attachment.network.text,
        what: "\(name.joined(separator: ".")) is 0", place: "this host",
        remedy: "sysctl -w \(name.joined(separator: "."))=1",
        mend: isOurs ? .restore(pod.attachment, place: 0) : nil)
    }
  }

  /// Whether the host itself is the way out of a network whose first plugin this is.
  static func makesHostRoute(_ plugin: JSONObject) -> Bool {
    switch plugin["type"]?.textValue {
    case "ptp": true
    case "bridge": ["isGateway", "isDefaultGateway"].contains { plugin[$0] == true }
    default: false
    }
  }

  /// A setting of the namespace the thread stands in; nil where there is no such setting.
  static func value(_ name: [String]) -> String? {
    do throws(SystemError) {
      return try Sysctl.read(name)
    } catch {
      return nil
    }
  }
}
