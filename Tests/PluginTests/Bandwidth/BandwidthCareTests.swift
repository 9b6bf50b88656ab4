import Addressing
import CNI
import JSON
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("CHECK, DEL, GC and STATUS of bandwidth", .needsRoot)
struct BandwidthCareTests {
  private static let both = BandwidthSite.both

  @Test(
    "CHECK notices what is missing or different, and changes nothing",
    arguments: [
      DamagingLine(command: "qdisc del dev HOST root", says: "Failed to find qdisc"),
      DamagingLine(
        command: "qdisc replace dev HOST root handle 1: tbf rate 9mbit burst 100000 limit 125000",
        says: "Rate doesn't match"),
      DamagingLine(
        command: "qdisc replace dev HOST root handle 1: tbf rate 8mbit burst 100000 limit 125001",
        says: "Limit doesn't match"),
      DamagingLine(
        command: "qdisc replace dev HOST root handle 1: tbf rate 8mbit burst 90000 limit 125000",
        says: "Buffer doesn't match"),
      DamagingLine(command: "qdisc del dev DEVICE root", says: "Failed to find qdisc"),
      DamagingLine(command: "qdisc del dev HOST ingress", says: "no filter of"),
      DamagingLine(command: "filter del dev HOST parent ffff:", says: "no filter of"),
      DamagingLine(command: "link set DEVICE down", says: "is down"),
      DamagingLine(command: "link del DEVICE", says: "get ifb device"),
    ])
  func damage(_ row: DamagingLine) throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    let limited = try site.add(Self.both, joined)
    let host = try site.hostEnd(joined)
    let device = try #require(site.devices().first)
    let line = row.command.split(separator: " ").map { word in
      word == "HOST" ? host.name : word == "DEVICE" ? device.name : String(word)
    }.joined(separator: " ")
    try site.lab.host.run {
      if line.hasPrefix("link ") { try TestProgram.ip(line) } else { try TestProgram.tc(line) }
    }
    let before = try site.lab.picture()
    let error = try site.ask("CHECK", Self.both, limited).error
    #expect(error?.message.contains(row.says) == true, "\(error?.description ?? "none")")
    try site.lab.expectUnchanged(since: before)
  }

  @Test("CHECK and ADD without a previous result say that a chain is needed")
  func unchained() throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    for command in ["ADD", "CHECK"] {
      for keys in [Self.both, [:]] {
        let error = try site.ask(command, site.network(keys), joined.pod, "eth0").error
        #expect(error?.message.contains("chained plugin") == true)
        #expect(error?.code == .invalidConfiguration)
      }
    }
  }

  /// Containers that no pair of links joins to this host.
  enum Unjoined: String, CaseIterable, Sendable {
    case noInterfaces = "no interfaces provided"
    case noLink = "container interface net9 has no veth peer"
    case otherKind = "container interface lo has no veth peer"
    case elsewhere = "is not in host ns"
    case unnamed = "no veth peer of container interface found in host ns"
  }

  @Test("ADD refuses a container that no pair joins to the host", arguments: Unjoined.allCases)
  func unjoined(_ row: Unjoined) throws {
    let site = try BandwidthSite()
    let joined = try site.join(try Pod("one"))
    var network = try site.network(Self.both).after(joined.result)
    var interface = "eth0"
    switch row {
    case .noInterfaces: network = network.with(["prevResult": ["cniVersion": "1.1.0"]])
    case .noLink: interface = "net9"
    case .otherKind: interface = "lo"
    case .elsewhere:
      interface = "net1"
      try joined.pod.ip("link add net1 type veth peer name net2")
    case .unnamed:
      network = network.with([
        "prevResult": ["cniVersion": "1.1.0", "interfaces": [["name": "veth0"]]]
      ])
    }
    let before = try site.lab.picture()
    let error = try site.ask("ADD", network, joined.pod, interface).error
    #expect(error?.message.contains(row.rawValue) == true, "\(error?.description ?? "none")")
    try site.lab.expectUnchanged(since: before)
  }

  @Test("DEL of what was never there, or is gone already, succeeds")
  func deleteNothing() throws {
    let site = try BandwidthSite()
    let before = try site.lab.settled(site.base)
    let pod = try Pod("one")
    for _ in 1...2 { try site.lab.delete(site.network(Self.both), pod).succeed() }
    let limited = try site.add(Self.both, try site.join(pod))
    let device = try #require(site.devices().first)
    try site.lab.ip("link del \(device.name)")
    try site.ask("DEL", Self.both, limited).succeed()
    try site.lab.ip("link del \(try site.hostEnd(limited).name)")
    try site.delete(Self.both, limited)
    try site.lab.expectUnchanged(since: before)
  }

  /// What a runtime may not know any more at DEL.
  enum Lack: CaseIterable, Sendable { case namespace, path, result, damagedResult, keys }

  @Test("DEL needs neither namespace, result nor keys", arguments: Lack.allCases)
  func deleteWithLittle(_ lack: Lack) throws {
    let site = try BandwidthSite()
    let limited = try site.add(Self.both, try site.join(try Pod("one")))
    var network = try site.network(Self.both).after(limited.result)
    if lack == .result { network = network.with(["prevResult": .null]) }
    if lack == .damagedResult { network = network.with(["prevResult": ["interfaces": 7]]) }
    if lack == .keys { network = try site.network([:]).after(limited.result) }
    var call = site.lab.call(network, limited.pod)
    if lack == .namespace { call.namespace = nil }
    if lack == .path { call.namespace = site.lab.state.path("nowhere") }
    try site.lab.ask("DEL", call).succeed()
    #expect(try site.devices() == [])
  }

  @Test("DEL takes a link that an interrupted ADD could not sign")
  func unsigned() throws {
    let site = try BandwidthSite()
    let pod = try Pod("one")
    let first = try site.add(Self.both, try site.join(pod))
    let second = try site.add(Self.both, try site.join(pod, as: "net1"))
    let names = try site.devices().map(\.name)
    try site.lab.host.run {
      let socket = try NetlinkSocket<RouteFamily>()
      for name in names {
        var change = LinkChange(.name(try InterfaceName(name)))
        change.alias = ""
        try socket.changeLink(change)
      }
    }
    try site.ask("DEL", Self.both, second).succeed()
    #expect(try site.devices().map(\.name) == [names[0]])
    try site.ask("DEL", Self.both, first).succeed()
    #expect(try site.devices() == [])
  }

  @Test("DEL leaves links alone that have the name and belong to others")
  func foreign() throws {
    let site = try BandwidthSite()
    let limited = try site.add(Self.both, try site.join(try Pod("one")))
    let device = try #require(site.devices().first)
    for alias in ["swift-cni:net/one/net1", "theirs"] {
      try site.lab.ip("link set \(device.name) alias \(alias)")
      try site.ask("DEL", Self.both, limited).succeed()
      #expect(try site.devices().count == 1)
    }
    try site.lab.ip("link del \(device.name)")
    try site.lab.ip("link add \(device.name) type veth peer name other0")
    try site.ask("DEL", Self.both, limited).succeed()
    #expect(try site.lab.link(device.name)?.kind == "veth")
  }

  @Test("GC takes the links of attachments that are no more, and no others")
  func garbage() throws {
    let site = try BandwidthSite()
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { _ = try site.add(Self.both, try site.join(pod)) }
    try site.lab.ip("link add bwp000000000000 type ifb")
    try site.lab.ip("link add bwp000000000001 type ifb")
    try site.lab.ip("link set bwp000000000001 alias swift-cni:other/one/eth0")
    let foreign = ["bwp000000000000", "bwp000000000001"]
    func collect(_ keep: [String]?) throws -> [String?] {
      let list = keep.map { keep in
        JSONValue.array(keep.map { ["containerID": .string($0), "ifname": "eth0"] })
      }
      let network = site.network(["cni.dev/valid-attachments": list ?? .null])
      _ = try site.lab.ask("GC", site.lab.call(network, pods[0]))
      return try site.devices().filter { !foreign.contains($0.name) }.map(\.alias)
    }
    let all = ["swift-cni:net/one/eth0", "swift-cni:net/two/eth0"]
    #expect(try collect(nil) == all)
    #expect(try collect(["one", "two"]) == all)
    #expect(try collect(["two"]) == ["swift-cni:net/two/eth0"])
    #expect(try collect([]) == [])
    #expect(try site.devices().map(\.name) == foreign)
  }

  @Test("STATUS tries on the kernel what an ADD would need, and changes nothing")
  func status() throws {
    let site = try BandwidthSite()
    let before = try site.lab.picture()
    for keys in [[:], ["shapedSubnets": ["10.0.0.0/8"]], Self.both] as [JSONObject] {
      var call = PluginCall("bandwidth", site.network(keys).text)
      call.container = nil
      call.interface = nil
      call.path = site.lab.pluginPath
      try site.lab.ask("STATUS", call).succeed()
    }
    try site.lab.expectUnchanged(since: before)
  }
}
