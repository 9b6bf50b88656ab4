import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("mtuPeer of tuning", .needsRoot)
struct TuningPeerTests {
  /// A pod of bridge or ptp, and tuning behind it.
  private struct Chain {
    let lab: PluginLab
    let pod: Pod
    let main: TestNetwork
    let added: PluginOutcome
    /// The host's end.
    let end: String

    init(_ plugin: PairPlugin) throws {
      lab = try PluginLab()
      pod = try Pod("one")
      main = plugin.network(in: lab)
      added = try lab.add(main, pod)
      end = try #require(
        added.result().interfaces.first { $0.sandbox.isEmpty && $0.name != "cni0" }?.name)
    }

    func tuning(_ keys: JSONObject) throws -> TestNetwork {
      let directory = lab.state.path("tuning")
      return try lab.network("tuning", ["dataDir": .string(directory)]).with(keys).after(added)
    }

    /// The MTU of the host's end and of the pod's.
    func sizes() throws -> [UInt32?] { [try lab.link(end)?.mtu, try pod.link()?.mtu] }
  }

  @Test(
    "gives the host's end the pod's MTU too, tells it, and DEL gives back what it had",
    arguments: PairPlugin.allCases)
  func both(_ plugin: PairPlugin) throws {
    let chain = try Chain(plugin)
    let before = try chain.lab.picture()
    let network = try chain.tuning(["mtu": 1400, "mtuPeer": true])
    let added = try chain.lab.add(network, chain.pod)
    #expect(try chain.sizes() == [1400, 1400])
    let told = try added.result().interfaces
    #expect(told.first { $0.name == chain.end }?.mtu == 1400)
    #expect(told.first { $0.name == "eth0" }?.mtu == 1400)
    let after = try network.after(added)
    try chain.lab.check(after, chain.pod).succeed()

    try chain.lab.ip("link set \(chain.end) mtu 1450")
    let difference = try chain.lab.check(after, chain.pod).error?.message
    #expect(difference?.contains("MTU of \(chain.end) is 1400, current value is 1450") == true)
    try chain.lab.ask("X-REPAIR", chain.lab.call(after, chain.pod)).succeed()
    #expect(try chain.sizes() == [1400, 1400])

    for _ in 1...2 { try chain.lab.delete(network, chain.pod).succeed() }
    #expect(try chain.sizes() == [1500, 1500])
    try chain.lab.expectUnchanged(since: before)
    #expect(try TuningFixture.files(below: chain.lab.state.path("tuning")) == [])
  }

  @Test("leaves the host's end alone unless it is asked for")
  func absent() throws {
    let chain = try Chain(.ptp)
    for keys: JSONObject in [["mtu": 1400], ["mtu": 1400, "mtuPeer": false]] {
      let network = try chain.tuning(keys)
      try chain.lab.add(network, chain.pod).succeed()
      #expect(try chain.sizes() == [1500, 1400])
      try chain.lab.delete(network, chain.pod).succeed()
      #expect(try chain.sizes() == [1500, 1500])
    }
  }

  @Test("asked for twice in one list gives back what was there before the first")
  func twice() throws {
    let chain = try Chain(.ptp)
    let first = try chain.tuning(["mtu": 1400, "mtuPeer": true])
    let second = try chain.tuning(["mtu": 1300, "mtuPeer": true])
    try chain.lab.add(first, chain.pod).succeed()
    try chain.lab.add(second, chain.pod).succeed()
    #expect(try chain.sizes() == [1300, 1300])
    for network in [second, first] { try chain.lab.delete(network, chain.pod).succeed() }
    #expect(try chain.sizes() == [1500, 1500])
  }

  @Test("is refused, and nothing changes, where it cannot be")
  func refusals() throws {
    let chain = try Chain(.bridge)
    let before = try chain.lab.picture()
    for (keys, words) in [
      (["mtuPeer": true], "mtuPeer: there is no \"mtu\""),
      (["mtu": 0, "mtuPeer": true], "mtuPeer: there is no \"mtu\""),
      (["mtu": 1000, "mtuPeer": true], "would take IPv6 away from the bridge"),
      (["mtu": 1400, "mtuPeer": 7], "mtuPeer"),
    ] as [(JSONObject, String)] {
      let refusal = try chain.lab.add(try chain.tuning(keys), chain.pod).error
      #expect(refusal?.code == .invalidConfiguration, "\(words)")
      #expect(refusal?.description.contains(words) == true, "\(words)")
      #expect(try chain.sizes() == [1500, 1500])
    }
    try chain.lab.expectUnchanged(since: before)
    // Here the other end is in the pod as well.
    let fixture = try TuningFixture()
    try fixture.expectRefusal(
      fixture.network(["mtu": 1400, "mtuPeer": true]),
      saying: "no end of a pair whose other end is on the host", .invalidConfiguration)
  }

  @Test("needs no namespace for DEL, and leaves nothing of a pod that has gone")
  func gone() throws {
    let chain = try Chain(.ptp)
    let network = try chain.tuning(["mtu": 1400, "mtuPeer": true])
    try chain.lab.add(network, chain.pod).succeed()
    try chain.lab.ip("link delete \(chain.end)")
    try chain.lab.delete(network, chain.pod).succeed()
    #expect(try TuningFixture.files(below: chain.lab.state.path("tuning")) == [])
  }
}
