import JSON
import Linux
import TestSupport
import Witness

/// The plugins that keep something on disk, chained, with all of that on a disk whose power is cut.
///
/// What is below `/run` is no file on a disk and goes with the power; `portmap`, `firewall` and
/// `bandwidth` keep nothing but what the kernel has.
final class CutPlugins {
  static let names = ["bridge", "tuning", "service"]

  let disk: LoopDisk
  let host: FreshNamespace
  private let programs: TemporaryDirectory
  private let run: TemporaryDirectory
  private let pod: FreshNamespace

  init() throws {
    let programs = try TemporaryDirectory()
    let run = try TemporaryDirectory()
    try ProgramFile.copy(
      BuiltProgram.cni(), to: programs.path("cni"), names: Self.names + ["host-local"])
    try run.write(
      "services.d/web.json",
      """
      {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
       "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
      """)
    try run.write(
      "services.json",
      #"{"serviceRanges": ["10.96.0.0/16"], "podRanges": ["10.1.0.0/24"]}"#)
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    disk = try LoopDisk()
    self.programs = programs
    self.run = run
    self.host = host
    self.pod = pod
  }

  /// The path of something that goes with the power.
  func scratch(_ name: String) -> String { run.path(name) }

  /// Calls one of them.
  func call(
    _ command: String, _ name: String, after result: JSONValue?, through wrapper: [String] = []
  ) throws -> ChildProcess.Outcome {
    var document = configuration(name)
    if let result { document["prevResult"] = result }
    let words = wrapper + [programs.path(name)]
    let environment = Environment([
      "CNI_COMMAND": command, "CNI_CONTAINERID": "pod", "CNI_IFNAME": "eth0",
      "CNI_NETNS": pod.path, "CNI_PATH": programs.path, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
      "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=pod",
    ])
    return try host.run { [document, words] in
      try ChildProcess.run(
        words[0], arguments: Array(words.dropFirst()), environment: environment,
        input: JSONWriter.write(.object(document)),
        limits: ChildProcess.Limits(time: .seconds(60)))
    }
  }

  private func configuration(_ name: String) -> JSONObject {
    var document: JSONObject = ["cniVersion": "1.0.0", "name": "net", "type": .string(name)]
    switch name {
    case "bridge":
      document["bridge"] = "br0"
      document["isGateway"] = true
      document["ipMasq"] = true
      document["ipam"] = [
        "type": "host-local", "dataDir": .string("\(disk.path)/networks"),
        "ranges": [[["subnet": "10.1.0.0/24"]]],
      ]
    case "tuning":
      document["dataDir"] = .string("\(disk.path)/tuning")
      document["sysctl"] = ["net.ipv4.conf.all.log_martians": "1"]
      document["mtu"] = 1400
      document["allmulti"] = true
    default:
      document["servicesDir"] = .string(run.path("services.d"))
      document["settingsFile"] = .string(run.path("services.json"))
      document["runDir"] = .string(run.path("run"))
      document["stateDir"] = .string("\(disk.path)/services")
      document["args"] = ["cni": ["labels": [["key": "app", "value": "web"]]]]
    }
    return document
  }

  /// Adds the pod; whichever plugin is named is run through a wrapper, and may fail.
  ///
  /// - Returns: the last result; nil if that plugin has failed.
  func add(attacking name: String? = nil, through wrapper: [String] = []) throws -> JSONValue? {
    var result: JSONValue?
    for plugin in Self.names {
      let outcome = try call(
        "ADD", plugin, after: result, through: plugin == name ? wrapper : [])
      guard outcome.isSuccess else {
        if plugin == name { return nil }
        throw Refusal(description: "ADD of \(plugin): \(Self.text(outcome))")
      }
      result = try JSONParser.parse(outcome.output)
    }
    return result
  }

  /// Deletes the pod, with nothing remembered of it; whichever plugin is named may fail.
  func delete(attacking name: String? = nil, through wrapper: [String] = []) throws {
    for plugin in Self.names.reversed() {
      let outcome = try call("DEL", plugin, after: nil, through: plugin == name ? wrapper : [])
      guard outcome.isSuccess else {
        if plugin == name { return }
        throw Refusal(description: "DEL of \(plugin): \(Self.text(outcome))")
      }
    }
  }

  private static func text(_ outcome: ChildProcess.Outcome) -> String {
    "\(outcome.end) \(String(decoding: outcome.output + outcome.diagnostics, as: UTF8.self))"
  }

  /// The host's network, and the names of the files on the disk.
  func picture() throws -> [String] {
    try host.run { try Witness.snapshot() } + disk.files().keys.sorted().map { "file \($0)" }
  }

  /// The files on the disk that hold nothing, or zeros: no more than a name has survived.
  ///
  /// Locks are meant to be empty. The index and the hint beside the leases are believed by nobody
  /// after a cut; they may hold anything.
  func torn() throws -> [String] {
    try disk.files().filter { path, bytes in
      let name = path.split(separator: "/").last ?? ""
      let mayBe =
        name == "lock" || name == "index" || name.hasPrefix("last_reserved_ip")
        || name.hasSuffix(".new")
      return !mayBe && (bytes.isEmpty || bytes.contains(0))
    }.map(\.key).sorted()
  }

  /// A plugin that was left alone has failed.
  struct Refusal: Error, CustomStringConvertible { let description: String }
}
