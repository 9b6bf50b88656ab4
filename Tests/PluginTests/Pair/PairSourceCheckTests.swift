import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("ipspoofchk", .needsRoot)
struct PairSourceCheckTests {
  @Test("lets a pod say and answer all that its own addresses may", arguments: PairPlugin.allCases)
  func traffic(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, ["ipspoofchk": true])
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    #expect(try lab.reaches(pods[0]))
    for (own, other) in [("10.1.2.2", "10.1.2.3"), ("fd00:1::2", "fd00:1::3")] {
      let heard = try Traffic.exchange(
        .tcp, from: pods[0].namespace, to: pods[1].namespace, at: other)
      #expect(heard == own)
    }
  }

  @Test(
    "drops what bears another address, before the host takes notice of it",
    arguments: PairPlugin.allCases)
  func foreignSources(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    for isChecked in [true, false] {
      let pod = try Pod("pod-\(isChecked)")
      let added = try lab.add(network.with(["ipspoofchk": .bool(isChecked)]), pod).result()
      let own = try HardwareAddress(try #require(try pod.link()).hardwareAddress)
      let host = try plugin.hostHardware(in: lab, added)
      try lab.host.run {
        try TestProgram.nft("add table inet watch")
        try TestProgram.nft("add chain inet watch c { type filter hook prerouting priority 0 ; }")
        try TestProgram.nft("flush chain inet watch c")
        for source in ["ip saddr 10.1.2.99", "ip saddr 10.9.9.9", "ip6 saddr fd00:1::99"] {
          try TestProgram.nft("add rule inet watch c \(source) udp dport 9 counter")
        }
        try TestProgram.nft("add rule inet watch c ip saddr 10.1.2.0/28 udp dport 9 counter")
      }
      let lies = try ["10.1.2.99", "10.9.9.9", "fd00:1::99"].map {
        try ForgedFrame.datagram(
          from: (own, $0, 9), to: (host, $0.contains(":") ? "fd00:1::1" : "10.1.2.1", 9))
      }
      let truth = try ForgedFrame.datagram(
        from: (own, try #require(added.addresses.first).address.address.description, 9),
        to: (host, "10.1.2.1", 9))
      // A frame may be lost on a busy host: until all that may arrive has.
      let all = Patience.until(.seconds(60)) { () -> Bool in
        do {
          try pod.run {
            for frame in lies + [truth] { try FrameSocket.send(frame.bytes, by: "eth0") }
          }
          let counts = try lab.host.run { try Self.counts() }
          return isChecked ? counts[3] >= 3 : counts.allSatisfy { $0 > 0 }
        } catch {
          return false
        }
      }
      #expect(all, "\(plugin) \(isChecked)")
      let counts = try lab.host.run { try Self.counts() }
      if isChecked { #expect(counts.prefix(3) == [0, 0, 0]) }
      try lab.delete(network, pod).succeed()
    }
  }

  @Test(
    "is elements beside one entry of the owner, that CHECK misses and DEL and GC take away",
    arguments: PairPlugin.allCases)
  func life(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, ["ipspoofchk": true])
    let before = try lab.settled(network)
    let pods = try ["one", "two", "three"].map { try Pod($0) }
    let added = try pods.map { try lab.add(network, $0) }
    func count(_ set: String) throws -> Int {
      try lab.host.run { try Witness.elements(inSet: set) }.count
    }
    #expect(try count("source_checked") == 3)
    #expect(try count("source_allowed_v4") == 3)
    // Its own and the one that goes with its hardware address.
    #expect(try count("source_allowed_v6") == 6)
    #expect(try count("spoof_owners") == 3)
    for (pod, outcome) in zip(pods, added) {
      try lab.check(network.after(outcome), pod).succeed()
    }
    let table = plugin == .bridge ? "bridge swift_cni" : "inet swift_cni"
    try lab.host.run { try TestProgram.nft("flush set \(table) source_allowed_v4") }
    #expect(
      try lab.check(network.after(added[0]), pods[0]).error?.message.contains("spoof-check") == true
    )
    // Neither namespace nor previous result is needed, nor what somebody else has taken.
    var call = lab.call(network, pods[0])
    call.namespace = nil
    try lab.ask("DEL", call).succeed()
    let valid: JSONValue = [["containerID": "two", "ifname": "eth0"]]
    try lab.ask(
      "GC", lab.call(network.with(["cni.dev/valid-attachments": valid]), pods[1])
    ).succeed()
    #expect(try count("source_checked") == 1)
    try lab.delete(network, pods[1]).succeed()
    try lab.expectUnchanged(since: before)
  }

  @Test("is made anew by an ADD after the table was taken away", arguments: PairPlugin.allCases)
  func again(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, ["ipspoofchk": true])
    try lab.add(network, try Pod("one")).succeed()
    try lab.host.run {
      try TestProgram.nft(
        "flush chain \(plugin == .bridge ? "bridge" : "inet") swift_cni source_check")
    }
    let pod = try Pod("two")
    let added = try lab.add(network, pod)
    try lab.check(network.after(added), pod).succeed()
    #expect(try lab.reaches(pod, ["10.1.2.3"]))
  }

  @Test("is refused where nobody says which addresses a pod has")
  func withoutAddresses() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let before = try lab.picture()
    let outcome = try lab.add(lab.network("bridge", ["ipspoofchk": true]), pod)
    #expect(outcome.error?.code == .invalidConfiguration)
    #expect(outcome.error?.details.contains("ipspoofchk") == true)
    try lab.expectUnchanged(since: before)
  }

  /// What the rules of the table `watch` have counted, in their order.
  private static func counts() throws -> [Int] {
    let ran = try ChildProcess.run(
      "/usr/sbin/nft", arguments: ["list", "chain", "inet", "watch", "c"],
      environment: .current())
    let words = String(decoding: ran.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return words.indices.filter { words[$0] == "packets" }.compactMap { Int(words[$0 + 1]) }
  }
}

extension PairPlugin {
  /// The hardware address that a pod's frames to the host are sent to.
  func hostHardware(in lab: PluginLab, _ added: PluginResult) throws -> HardwareAddress {
    let name = try #require(added.interfaces.first).name
    return try HardwareAddress(try #require(try lab.link(name)).hardwareAddress)
  }
}
