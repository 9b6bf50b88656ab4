import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("Connections of a pod that is gone", .needsRoot)
struct PairDepartedFlowTests {
  @Test("are forgotten with it, and no others are", arguments: PairPlugin.allCases)
  func forgotten(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let pods = try ["one", "two"].map { try Pod($0) }
    let added = try pods.map { try lab.add(network, $0) }
    try lab.remember()
    #expect(try lab.remembered() == [1001, 1002, 1003, 1004, 1005, 1011, 1012, 1013])
    // A result that is another container's says nothing about this one.
    var call = lab.call(try network.after(added[0]), try Pod("none", interface: "eth7"))
    call.namespace = nil
    try lab.ask("DEL", call).succeed()
    #expect(try lab.remembered().count == 8)
    try lab.delete(try network.after(added[0]), pods[0]).succeed()
    #expect(try lab.remembered() == [1011, 1012, 1013])
  }

  @Test("are forgotten without a result too, by its leases", arguments: PairPlugin.allCases)
  func forgottenByLease(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    try lab.remember()
    try lab.delete(network, pods[0]).succeed()
    #expect(try lab.remembered() == [1011, 1012, 1013])
    // No rule of ours says whose address it is.
    let bare = network.with(["ipMasq": false])
    let third = try Pod("three")
    try lab.add(bare, third).succeed()
    try lab.remember(of: third)
    try lab.collectGarbage(bare, keeping: [pods[1]]).succeed()
    #expect(try lab.remembered() == [1011, 1012, 1013])
  }

  @Test("are forgotten by the GC that ends it, and no others are", arguments: PairPlugin.allCases)
  func collected(_ plugin: PairPlugin) throws {
    let lab = try PluginLab()
    let network = plugin.network(in: lab)
    let pods = try ["one", "two"].map { try Pod($0) }
    for pod in pods { try lab.add(network, pod).succeed() }
    try lab.remember()
    try lab.collectGarbage(network, keeping: pods).succeed()
    #expect(try lab.remembered().count == 8)
    // What another network says of the address counts as well.
    let other = network.with(["name": "other"])
    try lab.collectGarbage(other, keeping: []).succeed()
    #expect(try lab.remembered().count == 8)
    try lab.collectGarbage(network, keeping: [pods[1]]).succeed()
    #expect(try lab.remembered() == [1011, 1012, 1013])
    try lab.collectGarbage(network, keeping: []).succeed()
    #expect(try lab.remembered() == [1013])
  }

  @Test("are followed by new ones of the next pod, under the address that it leaves by")
  func nextOwner() throws {
    let lab = try PluginLab()
    let outside = try lab.outside()
    try lab.ip("addr add 192.0.2.7/24 dev out")
    let range: JSONValue = [
      ["subnet": "10.1.2.0/24", "rangeStart": "10.1.2.2", "rangeEnd": "10.1.2.2"]
    ]
    let network = PairPlugin.bridge.network(
      in: lab, ipam: lab.hostLocal(keys: ["ranges": [range], "routes": [["dst": "0.0.0.0/0"]]]))
    let server = try Listener(.udp, in: outside, at: "192.0.2.2")
    let first = try Pod("first")
    let added = try lab.add(network.with(["egressIP": "192.0.2.7"]), first)
    #expect(
      try server.source(of: first.namespace, speakingTo: "192.0.2.2", port: server.port)
        == "192.0.2.7")
    #expect(try lab.flows(of: "10.1.2.2") == ["192.0.2.7"])
    try lab.delete(try network.after(added), first).succeed()
    #expect(try lab.flows(of: "10.1.2.2") == [])
    let second = try Pod("second")
    try lab.add(network, second).succeed()
    #expect(
      try server.source(of: second.namespace, speakingTo: "192.0.2.2", port: server.port)
        == "192.0.2.1")
    #expect(try lab.flows(of: "10.1.2.2") == ["192.0.2.1"])
  }
}

extension PluginLab {
  /// Under which addresses the datagrams of a pod leave, by what the kernel remembers.
  fileprivate func flows(of pod: String) throws -> Set<String> {
    let flows = try host.run { try Witness.flows() }
      .filter { $0.transport == 17 && $0.original.source == pod }
    return Set(flows.map(\.reply.destination))
  }

  /// Connections of the first pod (1001 to 1005), of the second, and of somebody.
  fileprivate func remember() throws {
    try host.run {
      for line in [
        // Out to the world, under the host's address.
        "-p udp -s 10.1.2.2 -d 198.51.100.1 --sport 1001 --dport 53 --reply-src 198.51.100.1 "
          + "--reply-dst 192.0.2.1 --reply-port-src 53 --reply-port-dst 1001",
        "-p tcp --state ESTABLISHED -s 10.1.2.2 -d 198.51.100.1 --sport 1002 --dport 80",
        // In to the pod's own address, and through a port of the host.
        "-p udp -s 192.0.2.9 -d 10.1.2.2 --sport 1003 --dport 53",
        "-p tcp --state ESTABLISHED -s 192.0.2.9 -d 192.0.2.1 --sport 1004 --dport 80 "
          + "--reply-src 10.1.2.2 --reply-dst 192.0.2.9 --reply-port-src 80 --reply-port-dst 1004",
        "-p udp -s fd00:1::2 -d 2001:db8::1 --sport 1005 --dport 53",
        // The other pod's, and somebody's.
        "-p udp -s 10.1.2.3 -d 198.51.100.1 --sport 1011 --dport 53",
        "-p udp -s fd00:1::3 -d 2001:db8::1 --sport 1012 --dport 53",
        "-p udp -s 192.0.2.9 -d 192.0.2.1 --sport 1013 --dport 53",
      ] { try TestProgram.remember(flow: line) }
    }
  }

  /// One connection of this pod, with port 1009.
  fileprivate func remember(of pod: Pod) throws {
    let address = try #require(try pod.addresses().first { $0.hasPrefix("10.1.2.") })
    try host.run {
      try TestProgram.remember(
        flow: "-p udp -s \(address.prefix { $0 != "/" }) -d 198.51.100.1 --sport 1009 --dport 53")
    }
  }

  /// Those that are still remembered, by their ports.
  fileprivate func remembered() throws -> [UInt16] {
    try host.run { try Witness.flows() }.map(\.original.sourcePort)
      .filter { 1001...1013 ~= $0 }.sorted()
  }
}
