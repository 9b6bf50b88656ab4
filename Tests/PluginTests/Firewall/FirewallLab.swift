import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A host with pods on bridges, each behind `firewall`.
///
///     foo 10.1.0.0/24 fd00:1::/64      bar 10.2.0.0/24 fd00:2::/64
struct FirewallLab {
  let lab: PluginLab
  let settings: JSONObject

  /// A host on which `firewall` has these keys.
  init(_ settings: JSONObject = [:]) throws {
    lab = try PluginLab()
    self.settings = settings
  }

  /// The bridge of a network, named as the network is.
  func bridge(_ name: String = "foo") -> TestNetwork {
    let number = name == "bar" ? 2 : 1
    return lab.network(
      "bridge", ["name": .string(name), "bridge": .string(name), "isDefaultGateway": true],
      ipam: lab.hostLocal("10.\(number).0.0/24", "fd00:\(number)::/64")
    ).with(["cniVersion": "1.0.0"])
  }

  /// The firewall of a network.
  func firewall(_ name: String = "foo", _ keys: JSONObject = [:]) -> TestNetwork {
    lab.network("firewall", ["name": .string(name), "cniVersion": "1.0.0"]).with(settings)
      .with(keys)
  }

  /// Adds a pod to both, and gives its firewall with the result.
  @discardableResult
  func add(_ pod: Pod, to name: String = "foo", _ keys: JSONObject = [:]) throws -> TestNetwork {
    let first = try lab.add(bridge(name), pod)
    let chained = try firewall(name, keys).after(first)
    try lab.add(chained, pod).succeed()
    return chained
  }

  /// Removes a pod from both, the firewall first, as a runtime does.
  func delete(_ pod: Pod, of name: String = "foo", _ firewall: TestNetwork) throws {
    try lab.delete(firewall, pod).succeed()
    try lab.delete(bridge(name), pod).succeed()
  }

  func status(_ keys: JSONObject = [:]) throws -> PluginOutcome {
    try ask("STATUS", firewall().with(["cniVersion": "1.1.0"]).with(keys))
  }

  /// Lets the firewall collect garbage of a network.
  func collect(_ name: String = "foo", keeping pods: [Pod]) throws -> PluginOutcome {
    try ask(
      "GC",
      firewall(name).with([
        "cniVersion": "1.1.0",
        "cni.dev/valid-attachments": .array(
          pods.map {
            ["containerID": .string($0.container), "ifname": .string($0.interface)]
          }),
      ]))
  }

  private func ask(_ command: String, _ network: TestNetwork) throws -> PluginOutcome {
    var call = PluginCall(network.plugin, network.text)
    call.container = nil
    call.interface = nil
    call.path = lab.pluginPath
    return try lab.ask(command, call)
  }

  /// The elements of a set of ours, by their comments.
  func elements(_ set: String) throws -> [String] {
    try lab.host.run { try Witness.elements(inSet: set) }.map { $0.comment ?? "" }
  }

  func nft(_ line: String) throws { try lab.host.run { try TestProgram.nft(line) } }

  /// The packets that a counter of table `t` has seen.
  static func count(_ name: String, in place: borrowing FreshNamespace) throws -> Int {
    try place.run {
      let listed = try ChildProcess.run(
        "/usr/sbin/nft", arguments: ["list", "counter", "inet", "t", name],
        environment: Environment())
      let words = String(decoding: listed.output, as: UTF8.self).split { $0.isWhitespace }
      let place = try #require(words.firstIndex(of: "packets"))
      return try #require(Int(words[place + 1]))
    }
  }

  /// Runs a program of the iptables family and gives what it says.
  @discardableResult
  func iptables(_ line: String, _ program: String = "iptables") throws -> [String] {
    try lab.host.run {
      let ran = try ChildProcess.run(
        "/usr/sbin/\(program)", arguments: line.split(separator: " ").map(String.init),
        environment: Environment(["PATH": "/usr/sbin"]))
      guard ran.isSuccess else {
        throw TestProgram.Failure(
          "\(program) \(line): \(String(decoding: ran.diagnostics, as: UTF8.self))")
      }
      return String(decoding: ran.output, as: UTF8.self).split(separator: "\n").map(String.init)
    }
  }

  /// What iptables and ip6tables list of upstream's chains.
  func upstreamRules() throws -> [String] {
    try (iptables("-S") + iptables("-S", "ip6tables")).filter { $0.contains("CNI") }
  }
}

/// The addresses that the first two pods of each network get.
enum PodAddress {
  static let first = ["10.1.0.2", "fd00:1::2"]
  static let second = ["10.1.0.3", "fd00:1::3"]
  static let other = ["10.2.0.2", "fd00:2::2"]
}
