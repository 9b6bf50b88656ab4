import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("DEL of bridge and ptp", .needsRoot)
struct PairDeleteTests {
  @Test("of what was never added succeeds and makes nothing", arguments: PairPlugin.allCases)
  func neverAdded(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let before = try lab.picture()
    let network = plugin.network(in: lab)
    let pod = try Pod("one")
    for _ in 1...2 { try lab.delete(network, pod).succeed() }
    try lab.expectUnchanged(since: before)
  }

  @Test("leaves host and pod as they were, and may come again", arguments: PairPlugin.allCases)
  func everything(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    #expect(try lab.leftovers(since: before) != [])
    for _ in 1...3 { try lab.delete(network.after(added), pod).succeed() }
    try lab.expectUnchanged(since: before)
    try pod.expectUnchanged(since: untouched)
  }

  /// Where `CNI_NETNS` may lead.
  enum Path: CaseIterable, Sendable {
    case absent, empty, gone, plainFile, directory, danglingLink, fifo, otherPod, foreignVeth
  }

  @Test(
    "takes the pod's things and nobody else's, wherever CNI_NETNS leads",
    arguments: PairPlugin.allCases, Path.allCases)
  func wherever(_ plugin: PairPlugin, _ path: Path) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let other = try Pod("other")
    if path == .foreignVeth {
      try lab.ip("link add theirs type veth peer name eth0 netns \(other.path)")
    } else {
      try lab.add(network, other).succeed()
    }
    let withOther = try lab.picture()
    let theirs = try other.picture()
    let pod = try Pod("one")
    try lab.add(network, pod).succeed()

    var call = lab.call(network, pod)
    call.namespace = try text(of: path, lab, other)
    try lab.ask("DEL", call).succeed()
    try lab.expectUnchanged(since: withOther)
    try other.expectUnchanged(since: theirs)
    if path == .otherPod {
      // Once more, now that there is nothing left to find but what the path leads to.
      try lab.ask("DEL", call).succeed()
      try other.expectUnchanged(since: theirs)
    }
    if path == .foreignVeth { try lab.ip("link del theirs") }
    try lab.delete(network, other).succeed()
    try lab.expectUnchanged(since: before)
  }

  private func text(of path: Path, _ lab: PluginLab, _ other: Pod) throws -> String? {
    switch path {
    case .absent: return nil
    case .empty: return ""
    case .gone: return lab.state.path("nowhere")
    case .plainFile: return try lab.state.write("plain", "x")
    case .directory: return lab.state.path("first")
    case .danglingLink:
      try run("/bin/ln", "-s", "/nowhere", lab.state.path("link"))
      return lab.state.path("link")
    case .fifo:
      try run("/usr/bin/mkfifo", lab.state.path("fifo"))
      return lab.state.path("fifo")
    case .otherPod, .foreignVeth: return other.path
    }
  }

  private func run(_ program: String, _ arguments: String...) throws {
    _ = try ChildProcess.run(program, arguments: arguments, environment: .current())
  }

  @Test("succeeds when the pod's namespace has gone", arguments: PairPlugin.allCases)
  func namespaceGone(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    var call: PluginCall
    do {
      let pod = try Pod("one")
      call = lab.call(network, pod)
      try lab.ask("ADD", call).succeed()
    }
    try lab.ask("DEL", call).succeed()
    try lab.expectUnchanged(since: before)
    call.namespace = nil
    try lab.ask("DEL", call).succeed()
  }

  static let previousResults: [JSONValue] = [
    nil, [:], [], "garbage", 7, ["cniVersion": "9.9.9"], ["cniVersion": 7],
    ["cniVersion": "1.1.0", "interfaces": "none", "ips": 7],
    ["cniVersion": "1.1.0", "ips": [["address": "not an address", "interface": 77]]],
    [
      "cniVersion": "1.1.0", "interfaces": [["name": "eth0", "sandbox": "/run/netns/other"]],
      "ips": [["address": "10.1.2.3/24", "interface": 0]],
    ],
  ]

  @Test(
    "needs no previous result and survives any", arguments: PairPlugin.allCases, previousResults)
  func previousResult(_ plugin: PairPlugin, _ previous: JSONValue) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let keeper = try Pod("keeper")
    try lab.add(network, keeper).succeed()
    let kept = try lab.picture()
    let pod = try Pod("one")
    try lab.add(network, pod).succeed()
    try lab.delete(network.with(["prevResult": previous]), pod).succeed()
    try lab.expectUnchanged(since: kept)
    try lab.delete(network, keeper).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("removes masquerading and spoof checks that the network no longer asks for")
  func changedConfiguration() throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    try lab.add(network, pod).succeed()
    let edited = network.with([
      "ipMasq": false, "macspoofchk": false, "bridge": "elsewhere", "isGateway": false,
      "mtu": 9000,
    ])
    try lab.delete(edited, pod).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test(
    "takes everything else away and tells it when the IPAM plugin fails",
    arguments: PairPlugin.allCases)
  func failingIPAM(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let before = try lab.settled(network)
    let pod = try Pod("one")
    try lab.add(network, pod).succeed()
    try lab.write(
      plugin: "host-local", #"echo '{"code": 123, "msg": "the store is on fire"}'; exit 1"#)
    let error = try lab.delete(network, pod).error
    #expect(error?.code == ProtocolError.Code(rawValue: 123))
    #expect(error?.message == "release the addresses: the store is on fire")
    #expect(try lab.leftovers(since: before) == ["+ lease net/10.1.2.3", "+ lease net/fd00:1::3"])
    try File.remove(lab.state.path("first/host-local"))
    try lab.delete(network, pod).succeed()
    try lab.expectUnchanged(since: before)
  }
}
