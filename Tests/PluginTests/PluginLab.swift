import CNI
import JSON
import Linux
import PluginSuite
import Synchronization
import TestSupport
import Testing
import Witness

/// A host of its own with our plugins on it: a namespace, lease files, room for other plugins.
///
///     let lab = try PluginLab()
///     let network = lab.network("bridge", ["isGateway": true], ipam: lab.hostLocal("10.1.2.0/24"))
///     let pod = try Pod("one")
///     let result = try lab.add(network, pod).result()
final class PluginLab: Sendable {
  let host: FreshNamespace
  let state: TemporaryDirectory
  private let runner: PluginRun
  /// The pods that have been added: the kernel takes a link away as soon as its namespace goes.
  private let pods = Mutex<[Pod]>([])

  /// A new host, on which a delegate in another file may take so long.
  init(patience: Duration = PluginMain.patience) throws {
    host = try FreshNamespace()
    state = try TemporaryDirectory()
    var runner = try PluginRun(.suite)
    runner.patience = patience
    self.runner = runner
    try Directory.create(state.path("first"))
  }

  /// `CNI_PATH`: what a test has written with ``write(plugin:_:)``, then ours.
  var pluginPath: String { "\(state.path("first")):\(runner.path)" }

  /// Puts a shell script first on `CNI_PATH`.
  func write(plugin name: String, _ body: String) throws {
    try state.write("first/\(name)", "#!/bin/sh\n\(body)\n", mode: 0o755)
  }

  // MARK: Networks

  /// A network of one plugin; version 1.1.0, named `net`, unless the keys say otherwise.
  func network(
    _ plugin: String, _ keys: JSONObject = [:], ipam: JSONValue? = nil
  ) -> TestNetwork {
    var document: JSONObject = [
      "cniVersion": "1.1.0", "name": "net", "type": .string(plugin),
    ]
    if let ipam { document["ipam"] = ipam }
    return TestNetwork(plugin: plugin, document: document).with(keys)
  }

  /// Addresses from ranges of one subnet each, remembered in this lab.
  func hostLocal(_ subnets: String..., keys: JSONObject = [:]) -> JSONValue {
    var ipam: JSONObject = [
      "type": "host-local", "dataDir": .string(state.path("networks")),
      "ranges": .array(subnets.map { [["subnet": .string($0)]] }),
    ]
    for member in keys.members { ipam[member.key] = member.value }
    return .object(ipam)
  }

  // MARK: Calls

  /// What a runtime says about a pod.
  func call(_ network: TestNetwork, _ pod: Pod) -> PluginCall {
    var call = PluginCall(network.plugin, network.text, namespace: pod.path)
    call.container = pod.container
    call.interface = pod.interface
    call.arguments = network.arguments
    call.path = pluginPath
    return call
  }

  /// Lets the plugin do a command, standing on the host.
  func ask(_ command: String, _ call: PluginCall) throws -> PluginOutcome {
    try host.run { runner.ask(command, call) }
  }

  /// Adds a pod, and keeps its namespace as long as this lab lives.
  func add(_ network: TestNetwork, _ pod: Pod) throws -> PluginOutcome {
    pods.withLock { $0.append(pod) }
    return try ask("ADD", call(network, pod))
  }

  /// Why another host's address is refused.
  ///
  /// The one question about it, or its answer, may be lost on a busy machine: then the ADD succeeds,
  /// and is done again.
  func refusal(_ network: TestNetwork, _ pod: Pod) throws -> ProtocolError? {
    for _ in 1...5 {
      if let error = try add(network, pod).error { return error }
      try delete(network, pod).succeed()
    }
    return nil
  }

  func check(_ network: TestNetwork, _ pod: Pod) throws -> PluginOutcome {
    try ask("CHECK", call(network, pod))
  }

  func delete(_ network: TestNetwork, _ pod: Pod) throws -> PluginOutcome {
    try ask("DEL", call(network, pod))
  }

  // MARK: What is there

  /// All of the host's network, and the names of the lease files.
  func picture() throws -> [String] {
    try host.run { try Witness.snapshot() } + leases().map { "lease \($0)" }
  }

  /// What the host looks like once a network has been used and no pod is left.
  func settled(_ network: TestNetwork) throws -> [String] {
    let pod = try Pod("first-of-all")
    try add(network, pod).succeed()
    try delete(network, pod).succeed()
    return try picture()
  }

  /// What has come or gone since a picture; empty when nothing has.
  func leftovers(since before: [String]) throws -> [String] {
    Witness.difference(from: before, to: try picture())
  }

  /// Expects nothing to have come or gone since a picture.
  func expectUnchanged(
    since before: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let left = try leftovers(since: before)
    #expect(left == [], sourceLocation: sourceLocation)
  }

  /// The addresses given out, as `network/address`.
  func leases() throws -> [String] {
    let store = state.path("networks")
    guard try File.status(of: store) != nil else { return [] }
    var leases: [String] = []
    for network in try Directory.entries(of: store) {
      for name in try Directory.entries(of: "\(store)/\(network)")
      where name != "lock" && name != ".swift-cni" && !name.hasPrefix("last_reserved_ip.") {
        leases.append("\(network)/\(name)")
      }
    }
    return leases.sorted()
  }

  /// A link of the host.
  func link(_ name: String) throws -> SeenLink? {
    try host.run { try Witness.link(named: name) }
  }

  /// The links of the host that are ports of a bridge.
  func ports(of bridge: String = "cni0") throws -> [SeenLink] {
    try host.run {
      let links = try Witness.links()
      let index = links.first { $0.name == bridge }?.index
      return links.filter { $0.master == index && index != nil }
    }
  }

  /// The addresses of a link of the host, without those that the kernel makes.
  func addresses(on link: String) throws -> [String] {
    try host.run { try Witness.addresses(on: link) }
  }

  /// A setting of the host below `/proc/sys/net`.
  func setting(_ name: String...) throws -> String {
    try host.run { try Sysctl.read(["net"] + name) }
  }

  /// Runs `ip` on the host.
  func ip(_ line: String) throws { try host.run { try TestProgram.ip(line) } }
}

/// A network's configuration, and what the runtime says beside it.
struct TestNetwork: Sendable {
  let plugin: String
  var document: JSONObject
  /// `CNI_ARGS`.
  var arguments: String?

  var text: String { JSONWriter.text(.object(document)) }

  /// The same network with other or further keys; null takes one away.
  func with(_ keys: JSONObject) -> TestNetwork {
    var network = self
    for member in keys.members { network.document[member.key] = member.value }
    return network
  }

  /// The same network with `CNI_ARGS`.
  func with(arguments: String) -> TestNetwork {
    var network = self
    network.arguments = arguments
    return network
  }

  /// The same network with an ADD's answer as the previous result.
  func after(_ outcome: PluginOutcome) throws -> TestNetwork {
    try outcome.succeed()
    return with(["prevResult": .object(try outcome.document())])
  }
}

/// A container's namespace and what the runtime calls it.
final class Pod: Sendable {
  let namespace: FreshNamespace
  let container: String
  let interface: String

  init(_ container: String, interface: String = "eth0") throws {
    namespace = try FreshNamespace()
    self.container = container
    self.interface = interface
  }

  /// `CNI_NETNS`.
  var path: String { namespace.path }

  func run<Product>(_ body: () throws -> Product) throws -> Product { try namespace.run(body) }

  func ip(_ line: String) throws { try run { try TestProgram.ip(line) } }

  /// Its interface.
  func link() throws -> SeenLink? { try run { try Witness.link(named: interface) } }

  func addresses() throws -> [String] { try run { try Witness.addresses(on: interface) } }

  /// Its routes in the main table, but for those that the kernel makes; `to via source`.
  func routes() throws -> [String] {
    try run { try Witness.routes() }.filter { $0.table == 254 && !$0.isOfLinkLocalOrGroup }
      .map(\.text).sorted()
  }

  func picture() throws -> [String] { try run { try Witness.snapshot() } }

  /// Expects nothing to have come or gone since a picture.
  func expectUnchanged(
    since before: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let left = Witness.difference(from: before, to: try picture())
    #expect(left == [], sourceLocation: sourceLocation)
  }
}

extension SeenRoute {
  var isOfLinkLocalOrGroup: Bool { destination.hasPrefix("fe80:") || destination.hasPrefix("ff") }

  /// Where to, through whom, and from whom, as far as they are said.
  var text: String {
    destination + (gateway.map { " via \($0)" } ?? "")
      + (preferredSource.map { " from \($0)" } ?? "")
  }
}

/// Programs of the host that tests use to change things behind a plugin's back.
enum TestProgram {
  static func ip(_ line: String) throws { try run("/usr/sbin/ip", line) }

  static func nft(_ line: String) throws { try run("/usr/sbin/nft", line) }

  static func tc(_ line: String) throws { try run("/usr/sbin/tc", line) }

  /// Puts a flow into what the kernel remembers, as `conntrack -I` takes it.
  static func remember(flow line: String) throws {
    try run("/usr/sbin/conntrack", "-I --timeout 60 \(line)")
  }

  private static func run(_ program: String, _ line: String) throws {
    let ran = try ChildProcess.run(
      program, arguments: line.split(separator: " ").map(String.init), environment: .current())
    guard ran.isSuccess else {
      throw Failure("\(program) \(line): \(String(decoding: ran.diagnostics, as: UTF8.self))")
    }
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}
