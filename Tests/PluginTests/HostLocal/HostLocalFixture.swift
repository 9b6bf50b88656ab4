import Addressing
import CNI
import JSON
import Linux
import PluginSuite
import TestSupport
import Testing

/// `host-local` on a data directory of its own, asked as a runtime asks it.
struct HostLocalFixture: ~Copyable {
  private let runner: PluginRun
  private let directory: TemporaryDirectory
  /// The version in the configuration.
  var version = "1.1.0"

  init() throws {
    let runner = try PluginRun(.suite)
    let directory = try TemporaryDirectory()
    self.runner = runner
    self.directory = directory
  }

  /// Where the leases of network `net` are.
  var store: String { directory.path("networks/net") }

  func path(_ name: String) -> String { directory.path(name) }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    try directory.write(name, text)
  }

  /// A configuration with these members under `ipam`, and further members beside it.
  func call(
    _ container: String = "pod-1", ipam: String, beside members: String = "",
    arguments: String? = nil
  ) -> PluginCall {
    var call = PluginCall(
      "host-local",
      """
      {"cniVersion": "\(version)", "name": "net", "type": "bridge"\(members),
       "ipam": {"type": "host-local", "dataDir": "\(directory.path("networks"))"\(ipam)}}
      """, namespace: "/run/netns/none")
    call.container = container
    call.arguments = arguments
    return call
  }

  func add(_ call: PluginCall) -> PluginOutcome { runner.add(call) }
  func delete(_ call: PluginCall) -> PluginOutcome { runner.delete(call) }
  func check(_ call: PluginCall) -> PluginOutcome { runner.check(call) }
  func collectGarbage(_ call: PluginCall) -> PluginOutcome { runner.collectGarbage(call) }
  func status(_ call: PluginCall) -> PluginOutcome { runner.status(call) }

  /// The addresses that an ADD gives.
  func addresses(_ call: PluginCall) throws -> [String] {
    try add(call).result().addresses.map(\.address.description)
  }

  /// The lease files and what they hold.
  func leases() throws -> [String: String] {
    guard try File.status(of: store) != nil else { return [:] }
    var leases: [String: String] = [:]
    for name in try Directory.entries(of: store)
    where name.first?.isNumber == true || name.contains(":") {
      leases[name] = try directory.text("networks/net/\(name)")
    }
    return leases
  }
}

/// One small range.
let smallRange = #", "ranges": [[{"subnet": "10.1.2.0/29"}]]"#
