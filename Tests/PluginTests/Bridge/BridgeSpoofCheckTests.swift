import Addressing
import CNI
import JSON
import TestSupport
import Testing
import Witness

@Suite("macspoofchk", .needsRoot)
struct BridgeSpoofCheckTests {
  static let forged: [UInt8] = [2, 0, 0, 0, 0, 0xee]

  @Test("drops frames from another hardware address than the pod's, and no others")
  func forgery() throws {
    let lab = try PluginLab()
    let checked = lab.network("bridge", ["macspoofchk": true])
    let pod = try Pod("one")
    try lab.add(checked, pod).succeed()
    let own = try HardwareAddress(try #require(try pod.link()).hardwareAddress).bytes
    // Whatever arrives first tells whether the forged frame, sent first, has arrived.
    #expect(try firstHeard(in: lab, [Self.forged, own], from: pod) == own)
    #expect(try firstHeard(in: lab, [own], from: pod) == own)

    let unchecked = try Pod("two")
    try lab.add(checked.with(["macspoofchk": false]), unchecked).succeed()
    let frames = [Self.forged, own]
    #expect(try firstHeard(in: lab, frames, from: unchecked) == Self.forged)
  }

  @Test("makes two elements for a pod beside one entry of its owner, and takes them away")
  func elements() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "bridge", ["macspoofchk": true, "isGateway": true], ipam: lab.hostLocal("10.1.2.0/24"))
    let before = try lab.settled(network)
    let pods = try ["one", "two"].map { try Pod($0) }
    let added = try pods.map { try lab.add(network, $0) }
    let elements = try lab.host.run { try Witness.elements() }.filter { $0.family == "bridge" }
    #expect(elements.count { $0.set == "spoof_checked" } == 2)
    #expect(elements.count { $0.set == "spoof_allowed" } == 2)
    #expect(elements.count { $0.set == "spoof_owners" } == 2)
    #expect(try lab.host.run { try Witness.nftablesRules() }.count { $0.family == "bridge" } == 1)
    for (pod, outcome) in zip(pods, added) {
      try lab.check(network.after(outcome), pod).succeed()
    }
    // Neither namespace nor previous result is needed.
    for pod in pods {
      var call = lab.call(network, pod)
      call.namespace = nil
      try lab.ask("DEL", call).succeed()
    }
    try lab.expectUnchanged(since: before)
  }

  @Test("lets a checked pod speak all that pods speak")
  func traffic() throws {
    let lab = try PluginLab()
    let network = lab.network(
      "bridge", ["macspoofchk": true, "isGateway": true],
      ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64"))
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    #expect(try lab.reaches(pods[0]))
    for (own, other) in [("10.1.2.2", "10.1.2.3"), ("fd00:1::2", "fd00:1::3")] {
      let heard = try Traffic.exchange(
        .tcp, from: pods[0].namespace, to: pods[1].namespace, at: other)
      #expect(heard == own)
    }
  }

  @Test("of upstream's making goes with DEL, and those of other pods stay")
  func upstream() throws {
    let lab = try PluginLab()
    let network = lab.network("bridge", ["macspoofchk": true])
    let before = try lab.settled(network)
    try lab.upstreamSpoofCheck("one", port: "veth00000001")
    try lab.upstreamSpoofCheck("one-more", port: "veth00000002")
    // The rule of a repeated ADD, which upstream adds once more.
    try lab.upstreamSpoofRule("one", port: "veth00000003")
    let kept = ["cni-br-iface-one-more-eth0", "cni-br-iface-one-more-eth0-mac"]
    #expect(try lab.chains(in: "nat").count == 5)

    try lab.delete(network, try Pod("one")).succeed()
    #expect(try lab.chains(in: "nat").sorted() == ["PREROUTING"] + kept)
    let rules = try lab.host.run { try Witness.nftablesRules() }.filter { $0.table == "nat" }
    #expect(rules.count == 4)
    #expect(rules.allSatisfy { $0.comment == "macspoofchk-one-more-eth0" })
    try lab.delete(network, try Pod("one-more")).succeed()
    #expect(try lab.chains(in: "nat") == ["PREROUTING"])
    try lab.host.run { try TestProgram.nft("delete table bridge nat") }
    try lab.expectUnchanged(since: before)
  }

  /// Sends frames from these addresses and tells whose the host hears first.
  ///
  /// A frame is lost now and then, where a processor's queue is full, so it counts only what is heard
  /// again of all but the first.
  private func firstHeard(
    in lab: PluginLab, _ sources: [[UInt8]], from pod: Pod
  ) throws -> [UInt8]? {
    try lab.host.run {
      var first: [UInt8]?
      for _ in 1...3 where first != sources.first {
        let ear = try FrameSocket(0x88b5, on: "cni0")
        try pod.run {
          for source in sources { try FrameSocket.send(.trial(from: source), by: "eth0") }
        }
        first = try ear.next().map { Array($0[6..<12]) }
      }
      return first
    }
  }
}

extension PluginLab {
  /// Makes what upstream 1.9.1 makes for a checked port, as `nft` shows it there.
  fileprivate func upstreamSpoofCheck(_ container: String, port: String) throws {
    let chain = "cni-br-iface-\(container)-eth0"
    let comment = "comment \"macspoofchk-\(container)-eth0\""
    try host.run {
      for line in [
        "add table bridge nat",
        "add chain bridge nat PREROUTING { type filter hook prerouting priority -300 ; }",
        "add chain bridge nat \(chain)", "add chain bridge nat \(chain)-mac",
        "add rule bridge nat \(chain) jump \(chain)-mac \(comment)",
        "add rule bridge nat \(chain)-mac ether saddr 02:00:00:00:00:01 return \(comment)",
        "add rule bridge nat \(chain)-mac drop \(comment)",
      ] { try TestProgram.nft(line) }
    }
    try upstreamSpoofRule(container, port: port)
  }

  fileprivate func upstreamSpoofRule(_ container: String, port: String) throws {
    try host.run {
      try TestProgram.nft(
        "add rule bridge nat PREROUTING iifname \(port) jump cni-br-iface-\(container)-eth0 "
          + "comment \"macspoofchk-\(container)-eth0\"")
    }
  }

  fileprivate func chains(in table: String) throws -> [String] {
    try host.run { try Witness.chains() }.filter { $0.table == table }.map(\.name)
  }
}
