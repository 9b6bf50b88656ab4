import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("A failed ADD of bridge and ptp", .needsRoot)
struct PairUndoTests {
  /// An IPAM plugin that fails, as the body of a shell script, and what is said then.
  struct BadIPAM: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let body: String?
    let message: String
    /// What it is asked for in turn.
    let asked: String
  }

  static let result = """
    {"cniVersion": "1.1.0", "ips": [{"address": "10.1.2.9/24", "gateway": "10.1.2.1"}]}
    """

  static let badPlugins = [
    BadIPAM(
      testDescription: "is not there", body: nil,
      message: "failed to find plugin \"fake\" in path", asked: ""),
    BadIPAM(
      testDescription: "fails with its own error",
      body: #"echo '{"code": 123, "msg": "no room"}'; exit 1"#, message: "no room", asked: "ADD"),
    BadIPAM(
      testDescription: "fails without a word", body: "exit 3",
      message: "netplugin failed with no error message", asked: "ADD"),
    BadIPAM(
      testDescription: "prints its result and fails after all",
      body: "echo '\(result)'; exit 1", message: "", asked: "ADD"),
    BadIPAM(
      testDescription: "prints nothing", body: "exit 0",
      message: "cannot read the result of plugin \"fake\"", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "prints garbage", body: "echo garbage",
      message: "cannot read the result of plugin \"fake\"", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "prints half a result", body: #"echo '{"cniVersion": "1.1.0", "ips": ['"#,
      message: "cannot read the result of plugin \"fake\"", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "gives no address", body: #"echo '{"cniVersion": "1.1.0", "ips": []}'"#,
      message: "IPAM plugin returned missing IP config", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "gives no address that can be read",
      body: #"echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.1.2.999/24"}]}'"#,
      message: "10.1.2.999", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "gives an address twice",
      body: "echo '\(result)' | sed 's/\\[\\(.*\\)\\]/[\\1,\\1]/'",
      message: "failed to add IP addr 10.1.2.9/24 to \"eth0\"", asked: "ADD DEL"),
    BadIPAM(
      testDescription: "gives a route through nobody",
      body:
        "echo '\(result)' | sed 's/}$/, \"routes\": [{\"dst\": \"0.0.0.0\\/0\", \"gw\": \"192.0.2.1\"}]}/'",
      message: "failed to add route '0.0.0.0/0 via 192.0.2.1 dev eth0'", asked: "ADD DEL"),
  ]

  @Test(
    "leaves nothing when the IPAM plugin", arguments: badPlugins, PairPlugin.allCases)
  func badIPAM(_ bad: BadIPAM, _ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.settled(plugin.network(in: lab))
    let log = lab.state.path("asked")
    if let body = bad.body {
      try lab.write(
        plugin: "fake",
        """
        echo "$CNI_COMMAND" >> \(log)
        test "$CNI_COMMAND" = ADD || exit 0
        \(body)
        """)
    }
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let network = plugin.network(in: lab, ipam: ["type": "fake"])
    let outcome = try lab.add(network, pod)
    #expect(outcome.error?.message.contains(bad.message) == true || bad.message.isEmpty)
    #expect(outcome.exitCode == 1)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    let asked = try lab.state.text("asked") ?? ""
    #expect(asked.split(separator: "\n").joined(separator: " ") == bad.asked)
  }

  @Test("leaves nothing when the pod has an interface of that name", arguments: PairPlugin.allCases)
  func nameTaken(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    try pod.ip("link add eth0 type veth peer name eth1")
    let untouched = try pod.picture()
    let error = try lab.add(network, pod).error
    #expect(
      error?.message.hasPrefix("container veth name (\"eth0\") peer provided (\"veth") == true)
    #expect(error?.message.hasSuffix("already exists") == true)
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
  }

  @Test("leaves nothing when no address is left", arguments: PairPlugin.allCases)
  func exhausted(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(
      in: lab, ipam: lab.hostLocal("10.1.2.0/30", "fd00:1::/64"))
    let before = try lab.settled(network)
    let first = try Pod("one")
    let added = try lab.add(network, first)
    let withFirst = try lab.picture()
    let second = try Pod("two")
    let untouched = try second.picture()
    #expect(try lab.add(network, second).error != nil)
    try lab.expectUnchanged(since: withFirst)
    try second.expectUnchanged(since: untouched)
    try lab.check(network.after(added), first).succeed()
    try lab.delete(network, first).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("leaves nothing when the packet filter refuses", arguments: PairPlugin.allCases)
  func packetFilter(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let plain = plugin.network(in: lab).with(["ipMasq": false])
    let before = try lab.settled(plain)
    // Somebody's set in our table, under a name of ours and of another type.
    try lab.host.run {
      try TestProgram.nft("add table inet swift_cni")
      try TestProgram.nft("add set inet swift_cni masquerade_owners { type inet_service; }")
    }
    let damaged = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let error = try lab.add(plain.with(["ipMasq": true]), pod).error
    #expect(error?.message.hasPrefix("failed to masquerade 10.1.2.3/24, fd00:1::3/64") == true)
    try lab.expectUnchanged(since: damaged)
    try pod.expectUnchanged(since: untouched)
    try lab.host.run { try TestProgram.nft("delete table inet swift_cni") }
    try lab.delete(plain, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("leaves nothing when the MTU is too small for IPv6", arguments: PairPlugin.allCases)
  func smallMTU(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let keeper = try Pod("keeper")
    let added = try lab.add(network, keeper)
    let withKeeper = try lab.picture()
    let outcome = try lab.add(network.with(["mtu": 1000]), pod)
    #expect(outcome.exitCode == 1)
    try lab.expectUnchanged(since: withKeeper)
    try pod.expectUnchanged(since: untouched)
    try lab.check(network.after(added), keeper).succeed()
    #expect(try lab.reaches(keeper, ["10.1.2.3", "fd00:1::3"]))
    try lab.delete(network, keeper).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("that was there already takes nothing from the first one", arguments: PairPlugin.allCases)
  func again(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let added = try lab.add(network, pod)
    let withFirst = try lab.picture()
    let inside = try pod.picture()
    let error = try lab.add(network, pod).error
    #expect(error?.message.hasPrefix("this attachment is there already") == true)
    try lab.expectUnchanged(since: withFirst)
    try pod.expectUnchanged(since: inside)
    try lab.check(network.after(added), pod).succeed()
    #expect(try lab.reaches(pod, ["10.1.2.3", "fd00:1::3"]))

    let other = try Pod("one", interface: "eth1")
    try lab.add(network, other).succeed()
    try lab.delete(network, other).succeed()
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("names the namespace that is not there", arguments: PairPlugin.allCases)
  func noNamespace(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.picture()
    var call = lab.call(network, try Pod("one"))
    call.namespace = "/run/netns/nowhere"
    let gone = try lab.ask("ADD", call).error
    #expect(gone?.code == .unknownContainer)
    #expect(gone?.message.hasPrefix("failed to open netns \"/run/netns/nowhere\"") == true)
    call.namespace = "/etc/passwd"
    #expect(try lab.ask("ADD", call).error?.message.contains("/etc/passwd") == true)
    call.namespace = lab.host.path
    #expect(try lab.ask("ADD", call).error?.code == .invalidNamespace)
    try lab.expectUnchanged(since: before)
  }
}
