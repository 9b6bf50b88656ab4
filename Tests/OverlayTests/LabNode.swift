import Addressing
import ArgumentParser
import CNI
import JSON
import Linux
import Netlink
import PluginSuite
import RouteNetlink
import Synchronization
import TestSupport
import Testing
import Witness

@testable import OperatorCommands

/// A node of the lab.
final class LabNode: Sendable {
  let number: Int
  let namespace: FreshNamespace
  let directory: TemporaryDirectory
  let families: [IPFamily]
  private let said = Mutex<[String]>([])
  private let pods = Mutex<[LabPod]>([])

  init(
    _ number: Int, on middle: borrowing FreshNamespace, _ below: ClusterLab.Below,
    _ families: [IPFamily]
  ) throws {
    self.number = number
    self.families = families
    let node = try FreshNamespace()
    directory = try TemporaryDirectory()
    let uplink = try InterfaceName("eth0")
    let port = try InterfaceName("node\(number)")
    try middle.run {
      let socket = try RouteSocket()
      let pair = VethPeer(name: uplink, bornIn: node.namespace)
      try socket.createLink(NewLink(port, .veth(peer: pair), flags: .up))
      switch below {
      case .routed:
        for family in families {
          try Self.give(port, LabNode.underlay(number, family, host: 1), socket)
        }
      case .switched:
        let name = try InterfaceName("switch")
        if try socket.findIndex(named: name) == nil {
          try socket.createLink(NewLink(name, .bridge(BridgeSettings()), flags: .up))
        }
        var change = LinkChange(.name(port))
        change.master = try socket.link(named: name).index
        try socket.changeLink(change)
      }
    }
    try node.run {
      let socket = try RouteSocket()
      try socket.setLink(.name(uplink), up: true)
      for family in families {
        let own =
          below == .routed
          ? LabNode.underlay(number, family, host: 2)
          : family == .v4 ? "172.16.0.\(number)/24" : "fd00:100::\(number)/64"
        let index = try Self.give(uplink, own, socket)
        if below == .routed {
          let gateway = LabNode.underlay(number, family, host: 1).split(separator: "/")[0]
          try socket.addRoute(
            RouteEntry(
              to: .everything(family), via: try IPAddress(String(gateway)), onLink: index))
        }
      }
    }
    namespace = node
    self.below = below
  }

  private let below: ClusterLab.Below

  /// Gives a link of the thread's namespace an address.
  @discardableResult
  static func give(
    _ link: InterfaceName, _ address: String, _ socket: borrowing RouteSocket
  ) throws -> UInt32 {
    let index = try socket.link(named: link).index
    try socket.addAddress(
      AddressEntry(
        try InterfaceAddress(address), onLink: index, flags: .withoutDuplicateDetection))
    return index
  }

  private static func underlay(_ number: Int, _ family: IPFamily, host: Int) -> String {
    family == .v4 ? "172.16.\(number).\(host)/24" : "fd00:100:\(number)::\(host)/64"
  }

  var name: String { "node-\(number)" }

  /// Where it is reached.
  func underlay(_ family: IPFamily) -> String {
    switch (below, family) {
    case (.routed, .v4): "172.16.\(number).2"
    case (.routed, .v6): "fd00:100:\(number)::2"
    case (.switched, .v4): "172.16.0.\(number)"
    case (.switched, .v6): "fd00:100::\(number)"
    }
  }

  var subnets: [String] { ["10.5.\(number).0/24", "fd00:5:\(number)::/64"] }

  /// Its peer file as others have it.
  var peerFile: JSONObject {
    [
      "name": .string(name), "underlay": .array(families.map { .string(underlay($0)) }),
      "subnets": .array(subnets.map { .string($0) }),
    ]
  }

  /// Writes its settings, and a file for each of these nodes.
  func write(_ settings: JSONObject = [:], peers: [LabNode]) throws {
    var own: JSONObject = [
      "name": .string(name), "underlay": .array(families.map { .string(underlay($0)) }),
      "cluster": ["10.5.0.0/16", "fd00:5::/32"],
      "subnets": .array(subnets.map { .string($0) }),
    ]
    for member in settings.members {
      own[member.key] = member.value == .null ? nil : member.value
    }
    try directory.write("etc/node.json", JSONWriter.text(.object(own)))
    for peer in peers { try write(peer: peer.name, peer.peerFile) }
  }

  func write(peer name: String, _ document: JSONObject) throws {
    try directory.write("etc/peers.d/\(name).json", JSONWriter.text(.object(document)))
  }

  func remove(peer name: String) throws {
    try File.remove(directory.path("etc/peers.d/\(name).json"))
  }

  // MARK: cnictl

  /// Runs `cnictl node …` here, and gives what it prints.
  @discardableResult
  func cnictl(_ words: String...) throws -> String {
    let places = [
      "--config-dir", directory.path("etc"), "--run-dir", directory.path("run"),
      "--state-dir", directory.path("state"), "--flannel-file", directory.path("run/subnet.env"),
    ]
    let parsed = try OperatorTool.parseAsRoot(["node"] + words + places)
    let verb = try #require(parsed as? any Verb)
    said.withLock { $0 = [] }
    let node = self
    try namespace.run {
      try verb.perform(
        in: Surroundings(
          environment: Environment([:]), workingDirectory: "/",
          print: { text throws(SystemError) in node.said.withLock { $0.append(text) } },
          warn: { text in node.said.withLock { $0.append("warning: \(text)") } }))
    }
    return said.withLock { $0.joined(separator: "\n") }
  }

  /// What the last command printed.
  var output: String { said.withLock { $0.joined(separator: "\n") } }

  @discardableResult
  func apply() throws -> String { try cnictl("apply") }

  // MARK: The node itself

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }

  func snapshot() throws -> [String] { try run { try Witness.snapshot() } }

  /// Runs `ip`, `bridge` or `nft` on the node.
  func sh(_ line: String) throws { try run { () throws in _ = try Shell.run(line) } }

  // MARK: Pods

  /// The keys of the network that its pods are on.
  func network(_ keys: JSONObject = [:], ipam ipamKeys: JSONObject = [:]) -> String {
    var ipam: JSONObject = [
      "type": "host-local", "subnet": "node",
      "subnetFile": .string(directory.path("run/subnet.json")),
      "dataDir": .string(directory.path("networks")),
      "routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]],
    ]
    for member in ipamKeys.members { ipam[member.key] = member.value }
    var network: JSONObject = [
      "cniVersion": "1.1.0", "name": "flat", "type": "bridge", "bridge": "cni0",
      "isGateway": true, "mtu": "node", "ipam": .object(ipam),
    ]
    for member in keys.members { network[member.key] = member.value }
    return JSONWriter.text(.object(network))
  }

  /// Adds a pod.
  func pod(_ name: String, by plugin: String = "bridge", keys: JSONObject = [:]) throws -> LabPod {
    let pod = try LabPod("\(self.name)-\(name)")
    let runner = try PluginRun(.suite)
    var call = PluginCall(plugin, network(keys), namespace: pod.namespace.path)
    call.container = pod.name
    let outcome = try run { runner.add(call) }
    let result = try outcome.result()
    pod.addresses.withLock { $0 = result.addresses.map(\.address.address) }
    let document = try outcome.document()
    pod.result.withLock { $0 = document }
    pods.withLock { $0.append(pod) }
    return pod
  }

  /// Asks host-local on this node.
  func ask(
    _ command: String, _ configuration: String, by plugin: String = "bridge", pod: LabPod
  ) throws -> PluginOutcome {
    let runner = try PluginRun(.suite)
    var call = PluginCall(plugin, configuration, namespace: pod.namespace.path)
    call.container = pod.name
    return try run { runner.ask(command, call) }
  }
}
