import Addressing
import CNI
import JSON
import Linux
import Plumbing
import TestSupport
import Testing
import Witness

@Suite("DEL of a link of the pod's own", .needsRoot)
struct StackedDeleteTests {
  @Test("of what was never added succeeds and changes nothing", arguments: StackedPlugin.allCases)
  func neverAdded(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let pod = try Pod("one")
    for _ in 1...2 { try lab.delete(plugin.network(in: lab), pod).succeed() }
    try lab.expectUnchanged(since: before)
  }

  @Test("needs neither the master nor a previous result", arguments: StackedPlugin.known)
  func masterGone(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    try lab.add(network, pod).succeed()
    try lab.ip("link del eth0")
    let broken: JSONObject = ["prevResult": ["cniVersion": "1.1.0", "interfaces": "none"]]
    try lab.delete(network.with(broken), pod).succeed()
    #expect(try lab.leases() == [])
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  /// Where `CNI_NETNS` may lead.
  enum Path: CaseIterable, Sendable { case absent, empty, gone, plainFile, otherPod, foreignLink }

  @Test(
    "takes the pod's things and nobody else's, wherever CNI_NETNS leads",
    arguments: StackedPlugin.known, Path.allCases)
  func wherever(_ plugin: StackedPlugin, _ path: Path) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    // Links of the pod that is gone go a little later; with this one the master knows no difference.
    let keeper = try Pod("keeper")
    try lab.add(network.with(["vlanId": 8]), keeper).succeed()
    let other = try Pod("other")
    if path == .foreignLink {
      try other.ip("link add eth0 type veth peer name eth1")
    } else {
      try lab.add(network.with(["vlanId": 7]), other).succeed()
    }
    let withOther = try lab.picture()
    let theirs = try other.picture()
    var call: PluginCall
    do {
      let pod = try Pod("one")
      call = lab.call(network, pod)
      try lab.ask("ADD", call).succeed()
    }
    switch path {
    case .absent: call.namespace = nil
    case .empty: call.namespace = ""
    case .gone: call.namespace = lab.state.path("nowhere")
    case .plainFile: call.namespace = try lab.state.write("plain", "x")
    case .otherPod, .foreignLink: call.namespace = other.path
    }
    for _ in 1...2 { try lab.ask("DEL", call).succeed() }
    try lab.expectUnchanged(since: withOther)
    try other.expectUnchanged(since: theirs)
    _ = outside.path
  }

  @Test("takes away what an ADD that was killed has left", arguments: StackedPlugin.known)
  func killed(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    try lab.add(network, pod).succeed()
    // Older kernels make the link under this name first; nobody has signed it then.
    let attachment = Attachment(
      network: try NetworkName("net"), container: try ContainerID("one"),
      interface: try InterfaceName("eth0"))
    let name = try #require(AttachmentNames(attachment).hostInterfaces.first?.text)
    try pod.ip("link set eth0 down")
    try pod.ip("link set eth0 name \(name)")
    let unsigned = try pod.run {
      try ChildProcess.run(
        "/usr/sbin/ip", arguments: ["link", "set", name, "alias", ""], environment: .current())
    }
    #expect(unsigned.isSuccess)
    try lab.delete(network, pod).succeed()
    #expect(try pod.run { try Witness.link(named: name) } == nil)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }

  @Test("tells it and goes on when the IPAM plugin fails", arguments: StackedPlugin.known)
  func failingIPAM(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    try lab.add(network, pod).succeed()
    try lab.write(plugin: "host-local", #"echo '{"code": 123, "msg": "on fire"}'; exit 1"#)
    let error = try lab.delete(network, pod).error
    #expect(error?.message == "release the addresses: on fire")
    try pod.expectUnchanged(since: untouched)
    try File.remove(lab.state.path("first/host-local"))
    try lab.delete(network, pod).succeed()
    #expect(try lab.leases() == [])
    _ = outside.path
  }

  /// Debian's 1.1.1 has no dummy.
  static let upstream = StackedPlugin.knownOnMaster

  @Test("takes away what upstream's ADD has made", .needsUpstream, arguments: upstream)
  func toOurs(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab, ["cniVersion": "1.0.0"])
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    for isTold in [true, false] {
      let added = try lab.askUpstream("ADD", network, pod)
      try lab.check(network.after(added), pod).succeed()
      try lab.delete(isTold ? network.after(added) : network, pod).succeed()
      try lab.expectUnchanged(since: before)
      try pod.expectUnchanged(since: untouched)
    }
    _ = outside.path
  }

  @Test("by upstream takes away what our ADD has made", .needsUpstream, arguments: upstream)
  func toUpstream(_ plugin: StackedPlugin) throws {
    let lab = try PluginLab()
    let outside = try lab.uplink()
    let network = plugin.network(in: lab, ["cniVersion": "1.0.0"])
    let before = try lab.picture()
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    try lab.askUpstream("DEL", try network.after(added), pod).succeed()
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
    _ = outside.path
  }
}
