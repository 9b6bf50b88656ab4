import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// The plugins that give a pod one link of its own, for what all of them must do alike.
///
/// A kernel that lacks a kind runs these tests for the others; the virtual machine runs all of them.
enum StackedPlugin: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case dummy, ipvlan, macvlan, vlan

  var testDescription: String { rawValue }

  /// Those that stand on a link.
  static let onMaster = allCases.filter { $0 != .dummy }
  /// Those whose kind the kernel at hand knows, and the others.
  static let known = allCases.filter(\.isKnown)
  static let unknown = allCases.filter { !$0.isKnown }
  static let knownOnMaster = onMaster.filter(\.isKnown)

  var isKnown: Bool {
    do {
      return try LinkKinds.contain(rawValue)
    } catch {
      // Without root, where none of these tests runs.
      return true
    }
  }

  /// A dual-stack network on the lab's uplink, with leases in the lab.
  ///
  /// IPv6 addresses wait for nobody, but for the tests that are about that.
  func network(in lab: PluginLab, _ keys: JSONObject = [:]) -> TestNetwork {
    network(
      in: lab,
      ipam: lab.hostLocal(
        "10.1.2.0/24", "fd00:1::/64", keys: ["routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]]])
    ).with(keys)
  }

  /// The same network with another IPAM plugin.
  func network(in lab: PluginLab, ipam: JSONValue?) -> TestNetwork {
    let common: JSONObject = ["master": "eth0", "enabledad": false]
    return switch self {
    case .dummy: lab.network("dummy", ipam: ipam)
    case .ipvlan, .macvlan: lab.network(rawValue, common, ipam: ipam)
    case .vlan: lab.network("vlan", common, ipam: ipam).with(["vlanId": 5])
    }
  }
}

extension PluginLab {
  /// Gives the host the link `eth0`, as most hosts have, and the network that it leads to.
  ///
  /// There `far` has the gateways' addresses, in VLAN 5 as well.
  func uplink(isVLAN: Bool = false) throws -> FreshNamespace {
    let outside = try FreshNamespace()
    try ip("link add eth0 type veth peer name far netns \(outside.path)")
    try ip("link set eth0 up")
    try outside.run {
      try TestProgram.ip("link set far up")
      var end = "far"
      if isVLAN {
        end = "far.5"
        try TestProgram.ip("link add link far name far.5 type vlan id 5")
        try TestProgram.ip("link set far.5 up")
      }
      try TestProgram.ip("address add 10.1.2.1/24 dev \(end)")
      try TestProgram.ip("address add fd00:1::1/64 dev \(end) nodad")
    }
    try awaitCarrier(of: "eth0")
    return outside
  }

  /// Waits until a link of the host carries frames, as a host's uplink has done for long.
  ///
  /// The kernel notices a carrier by deferred work, on a busy machine after seconds; until then what
  /// stands on the link sends nothing.
  private func awaitCarrier(of name: String) throws {
    let deadline = MonotonicTime.now + .seconds(20)
    while try link(name)?.isRunning != true {
      guard MonotonicTime.now < deadline else { throw TestProgram.Failure("\(name) stays down") }
    }
  }

  /// Asks a plugin about the network alone.
  func askNetwork(_ command: String, _ network: TestNetwork) throws -> PluginOutcome {
    var call = PluginCall(network.plugin, network.text)
    call.container = nil
    call.interface = nil
    call.path = pluginPath
    return try ask(command, call)
  }
}
