import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host with pods on a bridge that answer for services: bridge, host-local, then service.
///
///     service web4 10.96.0.10, web6 fd00:96::10 ── pods 10.1.2.x, fd00:1::x
///
/// The host has no default route.
final class ServiceChainLab: Sendable {
  let lab: PluginLab
  let bridge: TestNetwork

  /// The services' addresses by family.
  static let addresses = ["10.96.0.10", "fd00:96::10"]

  init() throws {
    lab = try PluginLab()
    bridge = PairPlugin.bridge.network(in: lab).with(["ipMasq": false, "hairpinMode": true])
    try lab.state.write(
      "etc/services.json",
      #"{"serviceRanges": ["10.96.0.0/16", "fd00:96::/112"], "podRanges": ["10.1.2.0/24", "fd00:1::/64"]}"#
    )
    try define()
  }

  /// The service in both families; each port has the name that pods give it in that family.
  func define(port: Int = 80, selector: String = "web") throws {
    for (place, family) in ["IPv4", "IPv6"].enumerated() {
      let suffix = place == 0 ? "4" : "6"
      try lab.state.write(
        "etc/services.d/web\(suffix).json",
        """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web\(suffix)"},
         "spec": {"clusterIP": "\(Self.addresses[place])", "ipFamilies": ["\(family)"],
          "selector": {"app": "\(selector)"}, "ports": [
           {"name": "t", "port": \(port), "targetPort": "tcp\(suffix)"},
           {"name": "u", "port": \(port), "targetPort": "udp\(suffix)", "protocol": "UDP"}]}}
        """)
    }
  }

  /// The plugin's configuration, with everything in this lab.
  var keys: JSONObject {
    [
      "servicesDir": .string(lab.state.path("etc/services.d")),
      "settingsFile": .string(lab.state.path("etc/services.json")),
      "runDir": .string(lab.state.path("run")), "stateDir": .string(lab.state.path("var")),
    ]
  }

  /// Attaches a pod to the bridge, lets it listen, and says what its runtime says to the plugin.
  func attach(_ name: String, app: String = "web") throws -> ServicePod {
    let pod = try Pod(name)
    let added = try lab.add(bridge, pod)
    let addresses = try added.result().addresses.map(\.address.address.description)
    var listeners: [ServicePod.Ear: Listener] = [:]
    var ports: [String] = []
    for transport in Traffic.Transport.allCases {
      for (place, address) in addresses.enumerated() {
        let listener = try Listener(
          transport, in: pod.namespace, at: address, patience: .milliseconds(150))
        listeners[ServicePod.Ear(transport: transport, place: place)] = listener
        ports.append("\(transport.name)\(place == 0 ? 4 : 6)=\(listener.port)")
      }
    }
    let network = try lab.network("service", keys).with([
      "args": [
        "cni": [
          "labels": [["key": "app", "value": .string(app)]],
          "swift-cni.dev/ports": .string(ports.joined(separator: ",")),
        ]
      ]
    ]).after(added)
    return ServicePod(
      pod: pod, addresses: addresses, network: network, listeners: listeners)
  }

  /// Attaches a pod and adds it to its services.
  func add(_ name: String, app: String = "web") throws -> ServicePod {
    let pod = try attach(name, app: app)
    try lab.add(pod.network, pod.pod).succeed()
    return pod
  }

  /// Takes a pod out of its services, and off the bridge.
  func delete(_ pod: ServicePod) throws {
    try lab.delete(pod.network, pod.pod).succeed()
    try lab.delete(bridge, pod.pod).succeed()
  }

  /// Who of some pods hears somebody that speaks to a service so often, and whom they hear.
  func heard(
    _ transport: Traffic.Transport, _ place: Int, from speaker: borrowing FreshNamespace,
    by pods: [ServicePod], port: UInt16 = 80, times: Int = 1
  ) throws -> [String: Set<String>] {
    var heard: [String: Set<String>] = [:]
    for _ in 0..<times {
      let speaker = try Speaker(
        transport, in: speaker, to: Self.addresses[place], port: port,
        patience: .milliseconds(150))
      let ear = ServicePod.Ear(transport: transport, place: place)
      if let (number, source) = try Listener.source(
        of: speaker, heardBy: pods.compactMap { $0.listeners[ear] })
      {
        heard[pods[number].pod.container, default: []].insert(source)
      }
      if heard.count == pods.count { break }
    }
    return heard
  }

  /// The endpoint files, as `network/name`.
  func endpointFiles() throws -> [String] {
    let place = lab.state.path("run/endpoints")
    guard try File.status(of: place) != nil else { return [] }
    return try Directory.entries(of: place).flatMap { network in
      try Directory.entries(of: "\(place)/\(network)").map { "\(network)/\($0)" }
    }
  }
}

/// A pod that listens on all transports and families.
struct ServicePod {
  let pod: Pod
  let addresses: [String]
  let network: TestNetwork
  let listeners: [Ear: Listener]

  struct Ear: Hashable, Sendable {
    let transport: Traffic.Transport
    let place: Int
  }
}
