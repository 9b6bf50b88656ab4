internal import Addressing
internal import CNI
internal import CNIRuntime
internal import JSON
internal import Linux

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

  /// A pod with a gateway on this host needs the host to forward.
  private mutating func forwarding(of pod: RememberedPod) -> [Finding] {
    guard let first = pod.list.plugins.first, Self.makesHostRoute(first) else { return [] }
    let families = Set(
      pod.result.addresses.filter { $0.gateway != nil }.map(\.address.family))
    return IPFamily.allCases.filter(families.contains).compactMap { family in
      let name = Self.setting(family)
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

  private static func setting(_ family: IPFamily) -> [String] {
    switch family {
    case .v4: ["net", "ipv4", "ip_forward"]
    case .v6: ["net", "ipv6", "conf", "all", "forwarding"]
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
