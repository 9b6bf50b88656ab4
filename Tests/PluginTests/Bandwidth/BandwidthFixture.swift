import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// Pods of a network of kind `ptp`, and limits chained behind it.
///
///     let site = try BandwidthSite()
///     let joined = try site.join(try Pod("one"))
///     let limited = try site.add(BandwidthSite.both, joined)
struct BandwidthSite {
  let lab: PluginLab
  let base: TestNetwork

  /// Limits of either direction, in bits.
  static let both: JSONObject = [
    "ingressRate": 8_000_000, "ingressBurst": 800_000, "egressRate": 16_000_000,
    "egressBurst": 1_600_000,
  ]

  init(_ keys: JSONObject = [:]) throws {
    lab = try PluginLab()
    base = lab.network("ptp", keys, ipam: lab.hostLocal("10.1.2.0/24"))
  }

  /// A pod, and what the last plugin of its chain has said.
  struct Joined {
    let pod: Pod
    let interface: String
    var result: PluginOutcome
  }

  /// Joins a pod to the host, under another interface name if one is given.
  func join(_ pod: Pod, as interface: String? = nil) throws -> Joined {
    let interface = interface ?? pod.interface
    let result = try ask("ADD", base, pod, interface)
    try result.succeed()
    return Joined(pod: pod, interface: interface, result: result)
  }

  /// The configuration of the plugin in this network, without a previous result.
  func network(_ keys: JSONObject) -> TestNetwork {
    lab.network("bandwidth").with([
      "cniVersion": base.document["cniVersion"] ?? .null, "name": base.document["name"] ?? .null,
    ]).with(keys)
  }

  func ask(_ command: String, _ keys: JSONObject, _ joined: Joined) throws -> PluginOutcome {
    try ask(command, network(keys).after(joined.result), joined.pod, joined.interface)
  }

  func ask(
    _ command: String, _ network: TestNetwork, _ pod: Pod, _ interface: String
  ) throws -> PluginOutcome {
    var call = lab.call(network, pod)
    call.interface = interface
    return try lab.ask(command, call)
  }

  /// Adds the limits; the pod's result is from now on theirs.
  func add(_ keys: JSONObject, _ joined: Joined) throws -> Joined {
    var limited = joined
    limited.result = try ask("ADD", keys, joined)
    try limited.result.succeed()
    return limited
  }

  /// Removes limits and pod, as a runtime does: the chain from its end.
  func delete(_ keys: JSONObject, _ joined: Joined) throws {
    try ask("DEL", keys, joined).succeed()
    try ask("DEL", base, joined.pod, joined.interface).succeed()
  }

  // MARK: What is there

  /// The host's end of a joined pod.
  func hostEnd(_ joined: Joined) throws -> SeenLink {
    let name = try joined.result.result().interfaces.first?.name
    let found = try lab.link(name ?? "")
    return try #require(found)
  }

  /// The links that packets of pods wait on, the oldest first.
  func devices() throws -> [SeenLink] {
    try lab.host.run { try Witness.links() }.filter { $0.kind == "ifb" }
      .sorted { $0.index < $1.index }
  }

  /// What somebody has hung on a link.
  func queues(of link: SeenLink) throws -> [SeenQueue] {
    try lab.host.run { try Witness.queues() }.filter { $0.linkIndex == link.index }
  }

  /// Where the packets that a link receives are redirected to.
  func redirections(of link: SeenLink) throws -> [String] {
    try lab.host.run { try Witness.trafficFilters(ofLink: link.index, at: 0xffff_0000) }
      .flatMap(\.actions)
  }
}

extension JSONObject {
  /// The same object with further keys.
  func adding(_ keys: JSONObject) -> JSONObject {
    var sum = self
    for member in keys.members { sum[member.key] = member.value }
    return sum
  }
}
