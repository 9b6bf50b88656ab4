import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host with pods on a bridge, somebody outside, and port mappings.
///
///     outside 192.0.2.2, 2001:db8::2 ── host 192.0.2.1, 2001:db8::1 ── cni0 10.1.2.1, fd00:1::1 ── pods
final class PortMapLab: Sendable {
  let lab: PluginLab
  let outside: FreshNamespace
  let bridge: TestNetwork
  private let keys: JSONObject

  /// A lab whose port mappings have these keys besides.
  init(
    _ keys: JSONObject = [:], plugin: PairPlugin = .bridge, subnet: String? = nil,
    version: String = "1.1.0"
  ) throws {
    lab = try PluginLab()
    outside = try lab.outside()
    var bridge = plugin.network(in: lab).with([
      "ipMasq": false, "cniVersion": .string(version),
    ])
    // Where bridged packets pass the packet filter, one to a pod's own mapping is bridged back.
    if let subnet { bridge = bridge.with(["ipam": lab.hostLocal(subnet)]) }
    if plugin == .bridge { bridge = bridge.with(["hairpinMode": true]) }
    self.bridge = bridge
    self.keys = keys
  }

  /// Attaches a pod to the bridge.
  func attach(_ name: String, interface: String = "eth0") throws -> MappedPod {
    let pod = try Pod(name, interface: interface)
    let added = try lab.add(bridge, pod)
    let addresses = try added.result().addresses.map(\.address.address.description)
    return MappedPod(pod: pod, addresses: addresses, attached: added)
  }

  /// The port mappings of a pod, as the runtime asks for them.
  func mappings(_ pod: MappedPod, _ ports: JSONValue...) throws -> TestNetwork {
    try mappings(pod, list: ports)
  }

  func mappings(_ pod: MappedPod, list ports: [JSONValue]) throws -> TestNetwork {
    try lab.network("portmap", keys)
      .with(["runtimeConfig": ["portMappings": .array(ports)]]).after(pod.attached)
  }

  /// Maps ports to a pod.
  func map(_ pod: MappedPod, _ ports: JSONValue...) throws -> TestNetwork {
    let network = try mappings(pod, list: ports)
    try lab.add(network, pod.pod).succeed()
    return network
  }

  /// All of the host once mappings have been made and taken away again.
  ///
  /// What stays are the table with its chains and empty sets, and the way for 127.0.0.1.
  func settled() throws -> [String] {
    let pod = try attach("first-of-all")
    let network = try map(pod, .mapping(8080, 80))
    try lab.delete(network, pod.pod).succeed()
    try lab.delete(bridge, pod.pod).succeed()
    return try lab.picture()
  }

  /// The elements of a set of our table.
  func elements(_ set: String) throws -> [SeenElement] {
    try lab.host.run { try Witness.elements(inSet: set) }
  }
}

/// A pod that is attached.
struct MappedPod: Sendable {
  let pod: Pod
  /// Its IPv4 address, then its IPv6 address.
  let addresses: [String]
  let attached: PluginOutcome
}

extension JSONValue {
  /// A mapping as runtimes write it.
  static func mapping(
    _ hostPort: UInt16, _ containerPort: UInt16, _ transport: String = "tcp", on host: String? = nil
  ) -> JSONValue {
    var mapping: JSONObject = [
      "hostPort": .integer(Int(hostPort)), "containerPort": .integer(Int(containerPort)),
      "protocol": .string(transport),
    ]
    if let host { mapping["hostIP"] = .string(host) }
    return .object(mapping)
  }
}

extension Traffic.Transport {
  /// As mappings name it.
  var name: String { self == .tcp ? "tcp" : "udp" }
}
