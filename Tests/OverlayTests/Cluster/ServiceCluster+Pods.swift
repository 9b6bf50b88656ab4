import Addressing
import JSON
import PluginSuite
import Synchronization
import TestSupport
import Testing

/// A pod of a node that answers, by its name.
final class ClusterPod: Someone {
  let name: String
  let node: LabNode
  let pod: LabPod
  let addresses: [IPAddress]
  fileprivate let configuration: String
  private let answerer: Answerer

  fileprivate init(_ name: String, on node: LabNode, _ pod: LabPod, _ configuration: String) throws
  {
    self.name = name
    self.node = node
    self.pod = pod
    self.configuration = configuration
    addresses = pod.addresses.withLock { $0 }
    answerer = try Answerer(name, in: pod.namespace, at: addresses)
  }

  func address(_ family: IPFamily) throws -> IPAddress {
    try #require(addresses.first { $0.family == family })
  }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try pod.run(body) }
}

extension ServiceCluster {
  /// Adds a pod, by the plugins `bridge` and then `service`: services of the name `app` select it, and
  /// it calls its ports as in `http=8080`.
  func pod(
    _ name: String, on number: Int, app: String = "none", ports: String = ""
  ) throws -> ClusterPod {
    let node = lab[number]
    let pod = try node.pod(name, keys: ["hairpinMode": true])
    var said: JSONObject = ["labels": ["app": .string(app)]]
    if !ports.isEmpty { said["swift-cni.dev/ports"] = .string(ports) }
    let network: JSONObject = [
      "cniVersion": "1.1.0", "name": "flat", "type": "service",
      "servicesDir": .string(node.directory.path("etc/services.d")),
      "settingsFile": .string(node.directory.path("etc/services.json")),
      "runDir": .string(node.directory.path("run")),
      "stateDir": .string(node.directory.path("state/services")),
      "args": ["cni": .object(said)],
      "prevResult": .object(pod.result.withLock { $0 }),
    ]
    let configuration = JSONWriter.text(.object(network))
    try node.ask("ADD", configuration, by: "service", pod: pod).succeed()
    let made = try ClusterPod(name, on: node, pod, configuration)
    pods.withLock { $0.append(made) }
    return made
  }

  /// Removes a pod, as its runtime does: last plugin first.
  func delete(_ pod: ClusterPod) throws {
    try pod.node.ask("DEL", pod.configuration, by: "service", pod: pod.pod).succeed()
    try pod.node.ask(
      "DEL", pod.node.network(["hairpinMode": true]), by: "bridge", pod: pod.pod
    ).succeed()
    pods.withLock { $0.removeAll { $0 === pod } }
  }

  /// Somebody who answers at a node's own addresses.
  func host(_ number: Int, port: UInt16 = Answerer.port) throws -> Answerer {
    try Answerer(
      "host-\(number)", in: lab[number].namespace,
      at: IPFamily.allCases.map { try address(ofNode: number, $0) }, port: port)
  }
}
