import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("portmap", .needsRoot)
struct PortMapTests {
  @Test("passes the previous result on, in every version", arguments: SpecVersion.all)
  func result(_ version: SpecVersion) throws {
    let lab = try PluginLab()
    let bridge = PairPlugin.bridge.network(in: lab).with([
      "cniVersion": .string(version.description)
    ])
    let pod = try Pod("one")
    let attached = try lab.add(bridge, pod)
    let network = try lab.network(
      "portmap",
      [
        "cniVersion": .string(version.description),
        "runtimeConfig": ["portMappings": [.mapping(8080, 80)]],
      ]
    ).after(attached)
    let added = try lab.add(network, pod)
    try added.succeed()
    #expect(try added.document() == attached.document())
    #expect(try lab.host.run { try Witness.elements(inSet: "ports_v4") }.count == 1)
    try lab.delete(network, pod).succeed()
  }

  @Test("touches nothing when there is nothing to map")
  func nothingToMap() throws {
    let lab = try PortMapLab()
    let pod = try lab.attach("one")
    let before = try lab.lab.picture()
    for network in [
      try lab.mappings(pod),
      // The pod has no address of the family, or the runtime says nothing at all.
      lab.lab.network("portmap").with(["prevResult": ["cniVersion": "1.1.0"]]),
    ] {
      try lab.lab.add(network, pod.pod).succeed()
      try lab.lab.check(network, pod.pod).succeed()
      try lab.lab.expectUnchanged(since: before)
    }
  }

  @Test("ends mappings without namespace, previous result or mappings to go by, and twice")
  func delete() throws {
    let lab = try PortMapLab()
    let before = try lab.settled()
    let pod = try lab.attach("one")
    _ = try lab.map(
      pod, .mapping(8080, 80), .mapping(53, 53, "udp"), .mapping(36412, 36412, "sctp"),
      .mapping(9000, 90, "tcp", on: "192.0.2.1"), .mapping(9000, 90, "tcp", on: "2001:db8::1"))
    #expect(try lab.elements("ports_v4").count == 3)
    #expect(try lab.elements("host_ports_v6").count == 1)
    var call = lab.lab.call(lab.lab.network("portmap"), pod.pod)
    call.namespace = nil
    for _ in 1...2 {
      try lab.lab.ask("DEL", call).succeed()
      #expect(try lab.elements("ports_v4").isEmpty)
    }
    try lab.lab.delete(lab.bridge, pod.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("ends hundreds of mappings of one pod, and leaves those of another")
  func many() throws {
    let lab = try PortMapLab()
    let before = try lab.settled()
    let one = try lab.attach("one")
    let two = try lab.attach("two")
    let ports = (0..<700).map { JSONValue.mapping(UInt16(10_000 + $0), UInt16(1 + $0)) }
    let network = try lab.mappings(one, list: ports)
    try lab.lab.add(network, one.pod).succeed()
    try lab.lab.check(network, one.pod).succeed()
    let other = try lab.map(two, .mapping(8080, 80))
    #expect(try lab.elements("ports_v4").count == 701)
    #expect(try lab.elements("ports_v6").count == 701)
    try lab.lab.delete(network, one.pod).succeed()
    #expect(try lab.elements("ports_v4").count == 1)
    try lab.lab.delete(other, two.pod).succeed()
    for pod in [one, two] { try lab.lab.delete(lab.bridge, pod.pod).succeed() }
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("says what it refuses, and changes nothing", arguments: PortMapRefusal.all)
  func refusals(_ refusal: PortMapRefusal) throws {
    let lab = try PortMapLab()
    let pod = try lab.attach("one")
    let before = try lab.lab.picture()
    let network = try lab.mappings(pod, .mapping(8080, 80)).with(refusal.keys)
    let refused = try lab.lab.add(network, pod.pod)
    #expect(refused.error?.message.contains(refusal.message) == true, "\(refused.output)")
    #expect(refused.error?.code == .invalidConfiguration)
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("takes everything back when the last step fails")
  func undo() async throws {
    let lab = try PortMapLab(plugin: .ptp)
    let before = try lab.settled()
    let pod = try lab.attach("one")
    let attached = try lab.lab.picture()
    let network = try lab.mappings(pod, .mapping(8080, 80))
    let refused = try await ReadOnlySettings.run {
      try lab.lab.ask("ADD", lab.lab.call(network, pod.pod))
    }
    #expect(refused.error?.message.contains("unable to enable route_localnet") == true)
    try lab.lab.expectUnchanged(since: attached)
    try lab.lab.delete(lab.bridge, pod.pod).succeed()
    try lab.lab.expectUnchanged(since: before)
  }

  @Test("CHECK finds every element and rule that is missing, and changes nothing")
  func check() throws {
    let lab = try PortMapLab()
    let pod = try lab.attach("one")
    let network = try lab.map(
      pod, .mapping(8080, 80), .mapping(9000, 90, "udp", on: "192.0.2.1"))
    try lab.lab.check(network, pod.pod).succeed()
    let damages = [
      "delete element inet swift_cni ports_v4 { tcp . 8080 }",
      "delete element inet swift_cni host_ports_v4 { 192.0.2.1 . udp . 9000 }",
      "delete element inet swift_cni port_sources_v4_24 { 10.1.2.0 . 10.1.2.2 }",
      "flush chain inet swift_cni portmap", "flush chain inet swift_cni portmap_v4",
      "flush chain inet swift_cni portmap_prerouting", "flush chain inet swift_cni portmap_output",
      "flush chain inet swift_cni portmap_postrouting", "flush chain inet swift_cni portmap_guard",
      "flush chain inet swift_cni portmap_sources", "flush ruleset",
    ]
    for damage in damages {
      try lab.lab.host.run { try TestProgram.nft(damage) }
      let before = try lab.lab.picture()
      #expect(try lab.lab.check(network, pod.pod).exitCode != 0, "\(damage)")
      try lab.lab.expectUnchanged(since: before)
      // ADD makes it again.
      try lab.lab.add(network, pod.pod).succeed()
      try lab.lab.check(network, pod.pod).succeed()
    }
    try lab.lab.host.run {
      try Sysctl.write(["net", "ipv4", "conf", "cni0", "route_localnet"], "0")
    }
    #expect(
      try lab.lab.check(network, pod.pod).error?.message == "route_localnet of cni0 is off")
    let unmapped = try lab.attach("two")
    let wanted = try lab.mappings(unmapped, .mapping(8081, 80))
    #expect(try lab.lab.check(wanted, unmapped.pod).exitCode != 0)
  }

  @Test("GC ends the mappings of what is gone, on its own network only")
  func garbage() throws {
    let lab = try PortMapLab()
    let pods = try ["one", "two", "three"].map { try lab.attach($0) }
    for (number, pod) in pods.enumerated() {
      let network = try lab.mappings(pod, .mapping(UInt16(8000 + number), 80))
        .with(["name": number == 2 ? "other" : "net"])
      try lab.lab.add(network, pod.pod).succeed()
    }
    func ports() throws -> [UInt8] { try lab.elements("ports_v4").map { $0.key[5] }.sorted() }
    let network = lab.lab.network("portmap")
    func collect(_ keys: JSONObject) throws {
      try lab.lab.ask("GC", lab.lab.call(network.with(keys), pods[0].pod)).succeed()
    }
    // Nothing said is not an empty list.
    #expect(try lab.lab.ask("GC", lab.lab.call(network, pods[0].pod)).exitCode != 0)
    #expect(try ports() == [0x40, 0x41, 0x42])
    try collect(["cni.dev/valid-attachments": [["containerID": "one", "ifname": "eth0"]]])
    #expect(try ports() == [0x40, 0x42])
    try collect(["cni.dev/valid-attachments": []])
    #expect(try ports() == [0x42])
    #expect(Set(try lab.elements("portmap_owners").map { $0.key.prefix(16) }).count == 1)
  }

  @Test("STATUS is ready where the packet filter is, and refuses a configuration it cannot serve")
  func status() throws {
    let lab = try PluginLab()
    let network = lab.network("portmap")
    let pod = try Pod("one")
    try lab.ask("STATUS", lab.call(network, pod)).succeed()
    let wrong = network.with(["backend": "ebtables"])
    #expect(
      try lab.ask("STATUS", lab.call(wrong, pod)).error?.message
        == "unrecognized backend \"ebtables\"")
  }
}

/// A configuration that is refused.
struct PortMapRefusal: Sendable, CustomTestStringConvertible {
  let keys: JSONObject
  let message: String
  var testDescription: String { message }

  private init(_ keys: JSONObject, _ message: String) {
    self.keys = keys
    self.message = message
  }

  private static func mapping(_ keys: JSONObject, _ message: String) -> PortMapRefusal {
    var mapping: JSONObject = ["hostPort": 8080, "containerPort": 80, "protocol": "tcp"]
    for member in keys.members { mapping[member.key] = member.value }
    return PortMapRefusal(
      ["runtimeConfig": ["portMappings": [.object(mapping)]]], message)
  }

  static let all = [
    mapping(["hostPort": 0], "Invalid host port number: 0"),
    mapping(["hostPort": 65536], "hostPort"),
    mapping(["hostPort": -1], "hostPort"),
    mapping(["containerPort": 0], "Invalid container port number: 0"),
    mapping(["protocol": "icmp"], "unknown protocol \"icmp\" of host port 8080"),
    mapping(["hostIP": "10.0.0.256"], "hostIP"),
    mapping(["hostIP": "8.8.8.8; flush ruleset"], "hostIP"),
    mapping(["hostIP": "224.0.0.1"], "hostIP 224.0.0.1 of host port 8080 is a group of hosts"),
    PortMapRefusal(
      [
        "runtimeConfig": ["portMappings": [.mapping(8080, 80), .mapping(8080, 81)]]
      ], "tcp port 8080 is mapped to port 80 and to 81"),
    PortMapRefusal(["backend": "ebtables"], "unrecognized backend \"ebtables\""),
    PortMapRefusal(["markMasqBit": 32], "MasqMarkBit must be between 0 and 31"),
    PortMapRefusal(["markMasqBit": -1], "MasqMarkBit must be between 0 and 31"),
    PortMapRefusal(
      ["markMasqBit": 5, "externalSetMarkChain": "KUBE-MARK-MASQ"],
      "Cannot specify externalSetMarkChain and markMasqBit"),
    PortMapRefusal(
      ["externalSetMarkChain": "A\nCOMMIT"], "cannot be the name of a chain"),
    PortMapRefusal(
      ["backend": "nftables", "conditionsV4": ["!", "-d", "192.0.2.0/24"]],
      "nftables backend was requested but configuration contains iptables-specific options "
        + "[conditionsV4]"),
    PortMapRefusal(
      ["backend": "iptables", "conditionsV6": ["ip6 saddr fd00::/8"]],
      "iptables backend was requested but configuration contains nftables-specific options "
        + "[conditionsV6]"),
    PortMapRefusal(
      ["backend": "nftables", "externalSetMarkChain": "KUBE-MARK-MASQ"],
      "[externalSetMarkChain]"),
    PortMapRefusal(
      ["conditionsV4": ["ip saddr 10.0.0.0/33"]], "conditionsV4"),
    PortMapRefusal(
      ["conditionsV4": ["ip", "saddr", "fd00::1"]], "is of the other family"),
    PortMapRefusal(
      ["conditionsV4": ["ip saddr"]], "nothing follows \"ip saddr\""),
    PortMapRefusal(
      ["conditionsV4": ["drop", ";"]], "\"drop ;\" is not understood"),
    PortMapRefusal(
      ["conditionsV4": ["-s", "10.0.0.0/8", "-j", "ACCEPT"]], "a condition must not hold \"-j\""),
    PortMapRefusal(
      ["conditionsV4": ["-s", "10.0.0.0/8\nCOMMIT"]], "a condition must not hold"),
    PortMapRefusal(["prevResult": .null], "must be called as chained plugin"),
    PortMapRefusal(["snat": "yes"], "snat"),
    PortMapRefusal(["runtimeConfig": ["portMappings": "all"]], "portMappings"),
  ]
}
