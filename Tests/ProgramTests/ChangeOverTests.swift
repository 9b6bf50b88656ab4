import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A node that changes from Debian's containernetworking-plugins to ours, or back, with pods on it.
@Suite("Changing over with running pods", .needsRoot, .needsUpstream)
struct ChangeOverTests {
  static let theirs = "/usr/lib/cni"

  struct Network: CustomTestStringConvertible {
    let plugin: String
    let members: String
    var testDescription: String { "\(plugin) \(members)" }
  }

  static let networks = [
    Network(plugin: "bridge", members: #""bridge":"cni0","isGateway":true"#),
    Network(
      plugin: "bridge", members: #""bridge":"cni0","isDefaultGateway":true,"hairpinMode":true"#),
    Network(plugin: "ptp", members: #""mtu":1400"#),
  ]

  func call(
    _ network: Network, _ pod: borrowing FreshNamespace, store: borrowing TemporaryDirectory,
    version: String
  ) -> PluginCall {
    PluginCall(
      network.plugin,
      #"{"cniVersion":"\#(version)","name":"net",\#(network.members),"#
        + #""ipam":{"type":"host-local","dataDir":"\#(store.path)","#
        + #""ranges":[[{"subnet":"10.7.0.0/24"}],[{"subnet":"fd07::/64"}]]}}"#,
      namespace: pod.path)
  }

  func leases(_ store: borrowing TemporaryDirectory) throws -> [String] {
    try Directory.entries(of: store.path("net")).filter { $0.first?.isHexDigit == true }
  }

  /// Asks one side's plugin, with that side's plugins on the path.
  func ask(
    _ command: String, _ call: PluginCall, _ plugins: borrowing InstalledPlugins, theirs: Bool
  ) throws -> PluginOutcome {
    var call = call
    if theirs { call.path = Self.theirs }
    return try plugins.ask(
      command, call,
      shell: theirs ? "exec \(Self.theirs)/\(call.plugin)" : "exec \"$PLUGIN\"")
  }

  @Test(
    "a pod of theirs is checked and deleted by ours",
    arguments: networks, ["0.4.0", "1.0.0"])
  func toOurs(_ network: Network, _ version: String) throws {
    try change(network, version, fromTheirs: true, isMasquerading: false)
  }

  @Test("a pod of theirs is deleted by ours with its rules of iptables", arguments: networks)
  func masquerading(_ network: Network) throws {
    try change(network, "1.0.0", fromTheirs: true, isMasquerading: true)
  }

  @Test(
    "a pod of ours is checked and deleted by theirs",
    arguments: networks, ["0.4.0", "1.0.0"])
  func toTheirs(_ network: Network, _ version: String) throws {
    try change(network, version, fromTheirs: false, isMasquerading: false)
  }

  /// Whether a line is about what iptables makes for itself: its tables and their own chains.
  private static func isEmptyTable(_ line: String) -> Bool {
    (line.hasPrefix("+ nft table ip nat") || line.hasPrefix("+ nft table ip6 nat"))
      && !line.contains("CNI-")
  }

  private func change(
    _ network: Network, _ version: String, fromTheirs: Bool, isMasquerading: Bool
  ) throws {
    let plugins = try InstalledPlugins()
    let host = try FreshNamespace()
    let pod = try FreshNamespace()
    let store = try TemporaryDirectory()
    var call = call(network, pod, store: store, version: version)
    if isMasquerading {
      call.configuration = call.configuration.dropLast() + #","ipMasq":true}"#
    }
    let plain = call.configuration
    let leftovers = try host.run {
      let before = try LeakSnapshot()
      let added = try ask("ADD", call, plugins, theirs: fromTheirs)
      try added.succeed()
      if isMasquerading {
        #expect(try LeakSnapshot().lines.contains { $0.contains("CNI-") }, "nothing to clean up")
      }
      #expect(try leases(store).sorted() == ["10.7.0.2", "fd07::2"])
      call.configuration = plain.dropLast() + #","prevResult":\#(added.output)}"#
      try ask("CHECK", call, plugins, theirs: !fromTheirs).succeed()
      // As containerd does the second time: no namespace and no previous result.
      try ask("DEL", call, plugins, theirs: !fromTheirs).succeed()
      call.configuration = plain
      call.namespace = ""
      try ask("DEL", call, plugins, theirs: !fromTheirs).succeed()
      return try LeakSnapshot().difference(
        from: before, except: ["link cni0", "address cni0", "address inet", "route"]
      ).filter { !Self.isEmptyTable($0) }
    }
    #expect(leftovers == [])
    #expect(try leases(store) == [])
    #expect(try pod.run { try Witness.link(named: "eth0") } == nil)
  }
}
