import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A failed ADD of a link of the pod's own", .needsRoot)
struct StackedUndoTests {
  /// An IPAM plugin that fails, as the body of a shell script, and what is said then.
  struct BadIPAM: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: String
    let message: String
    /// What it is asked for in turn.
    let asked: String
  }

  static let badPlugins = [
    BadIPAM(
      testDescription: "fails with its own error",
      body: #"echo '{"code": 123, "msg": "no room"}'; exit 1"#, message: "no room", asked: "ADD"),
    BadIPAM(
      testDescription: "gives no address", body: #"echo '{"cniVersion": "1.1.0", "ips": []}'"#,
      message: "IPAM plugin returned missing IP config", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "gives a route through nobody",
      body: #"echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.1.2.9/24"}], "#
        + #""routes": [{"dst": "0.0.0.0/0", "gw": "192.0.2.1"}]}'"#,
      message: "failed to add route '0.0.0.0/0 via 192.0.2.1 dev eth0'", asked: "ADD DEL"),
  ]

  @Test("leaves nothing when the IPAM plugin", arguments: badPlugins, StackedPlugin.known)
  func badIPAM(_ bad: BadIPAM, _ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    try lab.write(
      plugin: "fake",
      """
      echo "$CNI_COMMAND" >> \(lab.state.path("asked"))
      test "$CNI_COMMAND" = ADD || exit 0
      \(bad.body)
      """)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let error = try lab.add(plugin.network(in: lab, ipam: ["type": "fake"]), pod).error
    #expect(error?.message.contains(bad.message) == true)
    if bad.message == "no room" { #expect(error?.code == ProtocolError.Code(rawValue: 123)) }
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    let asked = try lab.state.text("asked") ?? ""
    #expect(asked.split(separator: "\n").joined(separator: " ") == bad.asked)
    _ = outside.path
  }

  @Test(
    "takes nothing from an interface of that name, or from the first ADD",
    arguments: StackedPlugin.known)
  func nameTaken(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    let before = try lab.picture()
    let pod = try Pod("one")
    try pod.ip("link add eth0 type veth peer name eth1")
    let untouched = try pod.picture()
    let taken = try lab.add(network, pod).error
    #expect(
      taken?.message
        == "failed to create \(plugin): the container has an interface \"eth0\" already")
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    // The runtime's DEL after a failed ADD leaves it, too.
    try lab.delete(network, pod).succeed()
    try pod.expectUnchanged(since: untouched)

    let first = try Pod("first")
    let added = try lab.add(network, first)
    let there = try first.picture()
    let withFirst = try lab.picture()
    let again = try lab.add(network, first).error
    #expect(again?.message.hasPrefix("this attachment is there already") == true)
    try first.expectUnchanged(since: there)
    try lab.expectUnchanged(since: withFirst)
    try lab.check(network.after(added), first).succeed()
    _ = outside.path
  }

  /// Networks that cannot be, on any kernel, and what is said of them.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let plugin: StackedPlugin
    let keys: JSONObject
    let says: String
    var code = ProtocolError.Code.invalidConfiguration
    var testDescription: String { "\(plugin): \(says)" }
  }

  static let refusals =
    StackedPlugin.onMaster.flatMap { plugin in
      [
        Refusal(
          plugin: plugin, keys: ["master": "nowhere"],
          says: "failed to lookup master \"nowhere\"", code: .internalFailure),
        Refusal(plugin: plugin, keys: ["master": "no/where"], says: "master"),
        Refusal(plugin: plugin, keys: ["master": 7], says: "master"),
        Refusal(plugin: plugin, keys: ["mtu": -1], says: "mtu"),
        Refusal(plugin: plugin, keys: ["linkInContainer": "yes"], says: "linkInContainer"),
        Refusal(plugin: plugin, keys: ["enabledad": "yes"], says: "enabledad"),
      ]
    } + [
      Refusal(
        plugin: .macvlan, keys: ["mtu": 9000],
        says: "invalid MTU 9000, must be [0, master MTU(1500)]"),
      Refusal(
        plugin: .vlan, keys: ["mtu": 9000],
        says: "invalid MTU 9000, must be [0, master MTU(1500)]"),
      Refusal(plugin: .macvlan, keys: ["mode": "odd"], says: "unknown macvlan mode: \"odd\""),
      Refusal(plugin: .macvlan, keys: ["mac": "01:00:00:00:00:01"], says: "mac: 01:00"),
      Refusal(plugin: .macvlan, keys: ["mac": "garbage"], says: "mac"),
      Refusal(plugin: .macvlan, keys: ["bcqueuelen": -1], says: "bcqueuelen"),
      Refusal(
        plugin: .macvlan, keys: ["master": nil], says: "no default route interface found",
        code: .internalFailure),
      Refusal(plugin: .ipvlan, keys: ["mode": "l4"], says: "unknown ipvlan mode: \"l4\""),
      Refusal(plugin: .ipvlan, keys: ["ipam": nil], says: "no plugin name provided"),
      Refusal(plugin: .vlan, keys: ["ipam": nil], says: "no plugin name provided"),
      Refusal(plugin: .vlan, keys: ["master": nil], says: "\"master\" field is required"),
      Refusal(plugin: .vlan, keys: ["vlanId": 4095], says: "invalid VLAN ID 4095"),
      Refusal(plugin: .vlan, keys: ["vlanId": -1], says: "invalid VLAN ID -1"),
      Refusal(
        plugin: .dummy, keys: ["ipam": nil], says: "dummy interface requires an IPAM configuration"),
    ]

  @Test("is refused before anything is done", arguments: refusals)
  func refused(_ refusal: Refusal) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let error = try lab.add(refusal.plugin.network(in: lab).with(refusal.keys), pod).error
    #expect(error?.message.contains(refusal.says) == true, "\(error?.message ?? "none")")
    #expect(error?.code == refusal.code)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test(
    "names the kind that the kernel lacks, and so does STATUS", arguments: StackedPlugin.unknown)
  func unknownKind(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let network = plugin.network(in: lab)
    let error = try lab.add(network, pod).error
    let sentence = "the kernel has no links of kind \"\(plugin)\""
    #expect(error?.message == "failed to create \(plugin): \(sentence)")
    let status = try lab.askNetwork("STATUS", network).error
    #expect(status?.code == .notReady)
    #expect(status?.message == sentence)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("is foretold by STATUS", arguments: StackedPlugin.known)
  func status(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let before = try lab.picture()
    try lab.askNetwork("STATUS", plugin.network(in: lab)).succeed()
    if plugin != .dummy {
      let missing = plugin.network(in: lab, ["master": "nowhere"])
      let error = try lab.askNetwork("STATUS", missing).error
      #expect(error?.code == .notReady)
      #expect(error?.message.hasPrefix("failed to lookup master \"nowhere\"") == true)
    }
    let noIPAM = try lab.askNetwork("STATUS", plugin.network(in: lab, ipam: ["type": "no"])).error
    #expect(noIPAM?.code == .notReady)
    try lab.expectUnchanged(since: before)
    _ = outside.path
  }
}
