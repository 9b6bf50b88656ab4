import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("tap in trouble", .needsRoot)
struct TapDamageTests {
  static let cases = [
    Refusal("an MTU that is too small", ["mtu": 67], says: "mtu: "),
    Refusal(
      "an MTU that a device cannot have", ["mtu": 65535], says: "failed to set up tap \"eth0\""),
    Refusal("a hardware address that is none", ["mac": "nonsense"], says: "mac: "),
    Refusal("the hardware address of a group", ["mac": "03:00:00:00:00:01"], says: "mac: "),
    Refusal("a negative owner", ["owner": -1], says: "owner"),
    Refusal("an owner that is nobody", ["owner": 4_294_967_295], says: "owner: 4294967295"),
    Refusal("a group that is nobody", ["group": 4_294_967_295], says: "group: 4294967295"),
    Refusal("a text for the group", ["group": "kvm"], says: "group"),
    Refusal("a text for a switch", ["multiQueue": "yes"], says: "multiQueue"),
    Refusal("a bridge that is not there", ["bridge": "br0"], says: "failed to get bridge br0"),
    Refusal(
      "a bridge that is none", ["bridge": "lo"], says: "bridge: lo in the container is no bridge"),
    Refusal("a bridge that no link can be", ["bridge": "a/b"], says: "bridge: "),
    Refusal("a security context", ["selinuxContext": "system_u:x:y:s0"], says: "selinuxContext: "),
    Refusal("an IPAM plugin that is not there", ["ipam": ["type": "nowhere"]], says: "nowhere"),
    Refusal(
      "an IPAM plugin without addresses", ["ipam": ["type": "empty"]],
      says: "IPAM plugin returned missing IP config"),
    Refusal("an IPAM plugin that fails", ["ipam": ["type": "broken"]], says: "on fire"),
  ]

  @Test("refuses and leaves nothing behind when it is given", arguments: cases)
  func refuses(_ example: Refusal) throws {
    let lab = try PluginLab()
    try lab.write(plugin: "empty", #"echo '{"cniVersion": "1.1.0"}'"#)
    try lab.write(plugin: "broken", #"echo '{"code": 123, "msg": "on fire"}'; exit 1"#)
    let pod = try Pod("one")
    let (host, before) = (try lab.picture(), try pod.picture())
    let error = try lab.add(TapTests.network(lab).with(example.keys), pod).error
    #expect(
      error?.description.contains(example.says) == true,
      "it said: \(error?.description ?? "nothing")")
    try lab.expectUnchanged(since: host)
    try pod.expectUnchanged(since: before)
  }

  @Test(
    "refuses a name that the pod has, and takes nothing from whoever has it",
    arguments: [true, false])
  func taken(_ isOurs: Bool) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = TapTests.network(lab)
    if isOurs {
      try lab.add(network, pod).succeed()
    } else {
      try pod.ip("link add eth0 type veth peer name other")
    }
    let (host, before) = (try lab.picture(), try pod.picture())
    #expect(
      try lab.add(network.with(["ipam": ["type": "nowhere"]]), pod).error?.message
        == "failed to create tap: the container has an interface eth0 already")
    try lab.expectUnchanged(since: host)
    try pod.expectUnchanged(since: before)
  }

  @Test(
    "DEL releases the addresses without a namespace",
    arguments: [nil, "", "/nowhere", "/etc/hostname"])
  func withoutNamespace(_ path: String?) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = TapTests.network(lab)
    try lab.add(network, pod).succeed()
    #expect(try lab.leases().count == 2)
    var call = lab.call(network, pod)
    call.namespace = path
    for _ in 1...2 { try lab.ask("DEL", call).succeed() }
    #expect(try lab.leases() == [])
  }

  @Test(
    "DEL needs neither a good configuration nor a previous result, and removes unsigned devices")
  func delete() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let before = try pod.picture()
    let network = TapTests.network(lab)
    try lab.add(network, pod).succeed()
    // As upstream makes them.
    try pod.run {
      _ = try ChildProcess.run(
        "/bin/sh", arguments: ["-c", "ip link set eth0 alias ''"], environment: .current())
    }
    let bad = network.with([
      "mtu": "x", "mac": 7, "owner": "x", "bridge": 7, "selinuxContext": "x", "prevResult": "x",
    ])
    try lab.delete(bad, pod).succeed()
    try pod.expectUnchanged(since: before)
    #expect(try lab.leases() == [])
  }

  @Test("DEL leaves what others have under the name", arguments: ["veth", "tap of another"])
  func others(_ kind: String) throws {
    let lab = try PluginLab()
    let other = try Pod("other")
    if kind == "veth" {
      try other.ip("link add eth0 type veth peer name x")
    } else {
      try lab.add(TapTests.network(lab, isPlain: true), other).succeed()
    }
    let theirs = try other.picture()
    let pod = try Pod("one")
    var call = lab.call(TapTests.network(lab), pod)
    try lab.ask("ADD", call).succeed()
    call.namespace = other.path
    try lab.ask("DEL", call).succeed()
    try other.expectUnchanged(since: theirs)
    #expect(try lab.leases() == [])
  }

  @Test("DEL tells what the IPAM plugin says, after the device has gone")
  func failingIPAM() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = TapTests.network(lab)
    try lab.add(network, pod).succeed()
    try lab.write(plugin: "host-local", #"echo '{"code": 123, "msg": "on fire"}'; exit 1"#)
    #expect(try lab.delete(network, pod).error?.message == "release the addresses: on fire")
    #expect(try pod.link() == nil)
  }

  @Test("GC asks the IPAM plugin")
  func garbage() throws {
    let lab = try PluginLab()
    let network = TapTests.network(lab)
    for name in ["one", "two"] { try lab.add(network, try Pod(name)).succeed() }
    var call = PluginCall(
      "tap",
      network.with([
        "cni.dev/valid-attachments": [["containerID": "two", "ifname": "eth0"]]
      ]).text)
    (call.container, call.interface) = (nil, nil)
    call.path = lab.pluginPath
    try lab.ask("GC", call).succeed()
    #expect(try lab.leases() == ["net/10.1.2.3", "net/fd00:1::3"])
  }

  static let damages = [
    DamagingLine(command: "link del eth0", says: "Interface name eth0 not found"),
    DamagingLine(command: "link set eth0 down", says: "tap: Interface eth0 is down"),
    DamagingLine(command: "link set eth0 mtu 1300", says: "tap: MTU of eth0 is 1300, not 1400"),
    DamagingLine(
      command: "link set eth0 address 02:00:00:00:00:09", says: "doesn't match container Mac"),
    DamagingLine(
      command: "addr del 10.1.2.2/24 dev eth0", says: "Failed to match addr 10.1.2.2/24"),
    DamagingLine(command: "route del default", says: "Expected Route {Dst:0.0.0.0/0} not found"),
  ]

  @Test("CHECK tells what is wrong", arguments: damages)
  func damaged(_ damage: DamagingLine) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = TapTests.network(lab, ["mtu": 1400])
    let check = try network.after(try lab.add(network, pod))
    try lab.check(check, pod).succeed()
    try pod.ip(damage.command)
    let before = try pod.picture()
    let message = try lab.check(check, pod).error?.message
    #expect(message?.contains(damage.says) == true, "it said: \(message ?? "nothing")")
    try pod.expectUnchanged(since: before)
    try lab.delete(check, pod).succeed()
    #expect(try pod.link() == nil)
  }

  @Test("STATUS is well where ADD would do, and tells what is missing")
  func status() async throws {
    @Sendable func status(_ keys: JSONObject) throws -> ProtocolError? {
      let lab = try PluginLab()
      var call = PluginCall("tap", TapTests.network(lab).with(keys).text)
      (call.container, call.interface) = (nil, nil)
      call.path = lab.pluginPath
      return try lab.ask("STATUS", call).error
    }
    #expect(try status([:]) == nil)
    #expect(try status(["ipam": nil]) == nil)
    #expect(try status(["ipam": ["type": "nowhere"]])?.code == .notReady)
    #expect(try status(["mtu": -1])?.code == .invalidConfiguration)
    let withoutDevice = try await OwnMounts.run(emptying: ["/dev/net"]) { try status([:]) }
    #expect(withoutDevice?.code == .notReady)
    #expect(withoutDevice?.message.contains("/dev/net/tun") == true)
  }
}
