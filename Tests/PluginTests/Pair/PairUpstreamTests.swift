import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// Debian's containernetworking-plugins, 1.1.1: it knows nothing of 1.1.0, and of iptables alone.
@Suite("Changing over from upstream's bridge and ptp, and back", .needsRoot, .needsUpstream)
struct PairUpstreamTests {
  static let olderVersion: JSONObject = ["cniVersion": "1.0.0"]

  /// The host's network without upstream's tables, which it leaves behind empty.
  private func picture(_ lab: PluginLab) throws -> [String] {
    try lab.picture().filter { line in
      !["table ip", "chain ip", "rules of ip", "set ip"].contains { line.hasPrefix($0) }
    }
  }

  private func chains(_ lab: PluginLab) throws -> [String] {
    try lab.host.run { try Witness.chains() }.map(\.name).filter { $0.hasPrefix("CNI-") }
  }

  @Test(
    "our DEL takes all away that upstream's ADD has made", arguments: PairPlugin.allCases,
    [true, false])
  func toOurs(_ plugin: PairPlugin, _ withResult: Bool) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, Self.olderVersion).with(["macspoofchk": false])
    _ = try lab.settled(network)
    let before = try picture(lab)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.addByUpstream(network, pod)
    try added.succeed()
    #expect(try chains(lab).count == 2)
    #expect(try lab.leases().count == 2)
    try lab.delete(withResult ? network.after(added) : network, pod).succeed()
    #expect(try chains(lab) == [])
    #expect(Witness.difference(from: before, to: try picture(lab)) == [])
    try pod.expectUnchanged(since: untouched)
  }

  @Test(
    "our CHECK accepts what upstream's ADD has made, and misses its masquerading when it is gone",
    arguments: PairPlugin.allCases)
  func check(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, Self.olderVersion).with(["macspoofchk": false])
    let pod = try Pod("one")
    let added = try lab.addByUpstream(network, pod)
    let before = try lab.picture()
    try lab.check(network.after(added), pod).succeed()
    try lab.expectUnchanged(since: before)
    try lab.host.run { try TestProgram.nft("flush chain ip nat POSTROUTING") }
    #expect(
      try lab.check(network.after(added), pod).error?.message.contains("masquerading") == true)
  }

  @Test("our pods join upstream's bridge, and reach its pods", arguments: [true, false])
  func together(_ upstreamIsFirst: Bool) throws {
    let lab = try PluginLab()
    let network = PairPlugin.bridge.network(in: lab, Self.olderVersion).with(["macspoofchk": false])
    let theirs = try Pod("theirs")
    let ours = try Pod("ours")
    if upstreamIsFirst { try lab.addByUpstream(network, theirs).succeed() }
    try lab.add(network, ours).succeed()
    if !upstreamIsFirst { try lab.addByUpstream(network, theirs).succeed() }
    #expect(try lab.ports().count == 2)
    #expect(try lab.addresses(on: "cni0").sorted() == ["10.1.2.1/24", "fd00:1::1/64"])
    // IPv4 alone: upstream leaves the bridge waiting for duplicates of its IPv6 addresses.
    for pod in [theirs, ours] { #expect(try lab.reaches(pod, [pod.plainAddress()])) }
    #expect(try Traffic.pings(try theirs.plainAddress(), from: ours.namespace))
  }

  @Test(
    "upstream's DEL takes all away that our ADD has made, but for elements of our table",
    arguments: PairPlugin.allCases)
  func toUpstream(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab, Self.olderVersion)
    _ = try lab.settled(network)
    let before = try picture(lab)
    let pod = try Pod("one")
    let untouched = try pod.picture()
    let added = try lab.add(network, pod)
    // Where iptables is the newer kind, upstream 1.1.1 stumbles over a chain that is not there, and
    // succeeds when the runtime comes again.
    _ = try lab.askUpstream("DEL", network.after(added), pod)
    try lab.askUpstream("DEL", network.after(added), pod).succeed()
    let left = Witness.difference(from: before, to: try picture(lab))
    #expect(left.filter { !$0.hasPrefix("+ element ") } == [])
    try pod.expectUnchanged(since: untouched)
    // Back again, they go with the next DEL or GC.
    try lab.delete(network.after(added), pod).succeed()
    #expect(Witness.difference(from: before, to: try picture(lab)) == [])
  }

  @Test("a DEL whose path leads to another of upstream's pods leaves that one alone")
  func otherPod() throws {
    for plugin in PairPlugin.allCases {
      let lab = try PluginLab()
      let network = plugin.network(in: lab, Self.olderVersion).with(["macspoofchk": false])
      let gone = try Pod("gone")
      let added = try lab.addByUpstream(network, gone)
      try gone.ip("link del eth0")
      let other = try Pod("other")
      try lab.addByUpstream(network, other).succeed()
      let theirs = try other.picture()
      var call = lab.call(try network.after(added), gone)
      call.namespace = other.path
      try lab.ask("DEL", call).succeed()
      try other.expectUnchanged(since: theirs)
      #expect(try lab.reaches(other, [other.plainAddress()]))
    }
  }
}

extension Pod {
  /// Its IPv4 address without the prefix length.
  func plainAddress() throws -> String {
    try addresses().first { !$0.contains(":") }.map { String($0.prefix { $0 != "/" }) } ?? ""
  }
}
