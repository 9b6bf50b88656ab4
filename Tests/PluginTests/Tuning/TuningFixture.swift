import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A pod with an interface, and a list whose second plugin is tuning.
struct TuningFixture {
  let lab: PluginLab
  let pod: Pod
  let directory: String

  /// A pod whose interface is one end of a pair; the other end is in the pod too.
  init(_ container: String = "one", interface: String = "eth0") throws {
    lab = try PluginLab()
    pod = try Pod(container, interface: interface)
    try pod.ip("link add \(interface) type veth peer name other")
    directory = lab.state.path("tuning")
  }

  /// A network of the plugin, with the result of the plugin before it.
  func network(_ keys: JSONObject = [:], named name: String = "net") -> TestNetwork {
    lab.network("tuning", ["dataDir": .string(directory), "name": .string(name)])
      .with(["prevResult": .object(previous)]).with(keys)
  }

  /// What the plugin before has answered.
  var previous: JSONObject {
    [
      "cniVersion": "1.1.0",
      "interfaces": [
        ["name": "veth1", "mac": "02:00:00:00:00:01"],
        [
          "name": .string(pod.interface), "mac": "02:00:00:00:00:02", "mtu": 1500,
          "sandbox": .string(pod.path),
        ],
      ],
      "ips": [["address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1]],
      "routes": [["dst": "0.0.0.0/0"]],
    ]
  }

  /// The text of upstream's file; nil when there is none.
  func backup() throws -> String? {
    try lab.state.text("tuning/\(pod.container)_\(pod.interface).json")
  }

  /// The names of all files, without the directories.
  func files() throws -> [String] { try Self.files(below: directory) }

  static func files(below directory: String) throws -> [String] {
    guard try File.status(of: directory) != nil else { return [] }
    return try Directory.entries(of: directory).flatMap { name in
      let path = "\(directory)/\(name)"
      guard try File.status(of: path)?.kind == .directory else { return [name] }
      return try files(below: path).map { "\(name)/\($0)" }
    }
  }

  /// A setting of the pod below `/proc/sys/net`.
  func setting(_ name: String...) throws -> String {
    try pod.run { try Sysctl.read(["net"] + name) }
  }

  /// Pod, host and files as they are: what a refusal must not change.
  func picture() throws -> [String] {
    try lab.picture() + pod.picture() + files() + [
      try arpIgnore(), try setting("core", "somaxconn"),
    ]
  }

  private func arpIgnore() throws -> String {
    try pod.link() == nil ? "" : try setting("ipv4", "conf", pod.interface, "arp_ignore")
  }

  /// Expects an ADD to be refused with these words, and nothing to have changed.
  func expectRefusal(
    _ network: TestNetwork, saying words: String, _ code: ProtocolError.Code? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try picture()
    let error = try lab.add(network, pod).error
    #expect(
      error?.description.contains(words) == true, "it said: \(error?.description ?? "nothing")",
      sourceLocation: sourceLocation)
    if let code { #expect(error?.code == code, sourceLocation: sourceLocation) }
    let after = try picture()
    #expect(Witness.difference(from: before, to: after) == [], sourceLocation: sourceLocation)
  }
}
