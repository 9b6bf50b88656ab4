import Addressing
import JSON
import NodeFiles
import Overlay
import TestSupport
import Testing

@Suite("The files of the flat network")
struct FileTests {
  struct Bad: Sendable, CustomTestStringConvertible {
    let text: String
    let refusal: String
    var testDescription: String { refusal }

    init(_ text: String, _ refusal: String) {
      self.text = text
      self.refusal = refusal
    }
  }

  static let badPeers = [
    Bad("", "unexpected end"),
    Bad("[]", "an object is expected"),
    Bad("{", "x.json"),
    Bad(#"{"underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"]}"#, "name: is missing"),
    Bad(#"{"name":"a/b","underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"]}"#, "name: \"a/b\""),
    Bad(#"{"name":7,"underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"]}"#, "expected text"),
    Bad(#"{"name":"b","subnets":["10.5.2.0/24"]}"#, "underlay: is missing"),
    Bad(#"{"name":"b","underlay":[],"subnets":["10.5.2.0/24"]}"#, "underlay: names no address"),
    Bad(
      #"{"name":"b","underlay":["127.0.0.1"],"subnets":["10.5.2.0/24"]}"#,
      "underlay[0]: 127.0.0.1 is no address that other nodes can reach"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2","172.16.2.3"],"subnets":["10.5.2.0/24"]}"#,
      "underlay[1]: 172.16.2.3 is a second IPv4 address"),
    Bad(#"{"name":"b","underlay":["172.16.2.2"],"subnets":["10.5.2.1/24"]}"#, "host bits are set"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2"],"subnets":["10.5.2.0/24","10.5.2.128/25"]}"#,
      "subnets[1]: 10.5.2.128/25 overlaps 10.5.2.0/24"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2"],"subnets":["224.0.0.0/24"]}"#,
      "subnets[0]: 224.0.0.0/24 is no network for pods"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"],"subnet":"x"}"#,
      "subnet: there is no such key"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"],"name":"c"}"#,
      "name: the key is there twice"),
    Bad(
      #"{"name":"b","underlay":["172.16.2.2"],"subnets":["10.5.2.0/24"],"#
        + #""backendData":{"VtepMAC":"01:00:00:00:00:01"}}"#,
      "backendData.VtepMAC: 01:00:00:00:00:01 is no address of a single interface"),
  ]

  @Test("a peer's file is refused with file, key and reason", arguments: badPeers)
  func refusesPeer(bad: Bad) throws {
    let directory = try TemporaryDirectory()
    try directory.write("x.json", bad.text)
    try directory.write(
      "y.json", #"{"name":"good","underlay":["172.16.9.2"],"subnets":["10.5.9.0/24"]}"#)
    try directory.write("notes.txt", "not a peer")
    let files = try PeerFile.readAll(in: directory.path)
    #expect(files.map(\.file) == [directory.path("x.json"), directory.path("y.json")])
    let error = #expect(throws: NodeFileError.self) { try files[0].content.get() }
    #expect(error?.path == directory.path("x.json"))
    let text = error.map { "\($0)" } ?? ""
    #expect(bad.refusal == "unexpected end" || text.contains(bad.refusal), "\(text)")
    #expect(try files[1].content.get().name.text == "good")
  }

  private static let node = #""name":"a","underlay":["172.16.1.2"],"cluster":["10.5.0.0/16"]"#

  static let badSettings = [
    Bad("{}", "name: is missing"),
    Bad(#"{"name":"a"}"#, "cluster: is missing"),
    Bad(#"{\#(node)}"#, "subnets: is missing"),
    Bad(
      #"{\#(node),"subnets":["10.6.1.0/24"]}"#, "10.6.1.0/24 lies in none of the cluster's ranges"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"allocate":{}}"#, "subnets: goes without"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"interface":"eth0"}"#, "underlay: goes without"),
    Bad(#"{\#(node),"allocate":{"v4":16}}"#, "allocate.v4: 16 is no length of a part"),
    Bad(#"{\#(node),"allocate":{"v4":31}}"#, "allocate.v4: 31 is no length of a part"),
    Bad(#"{\#(node),"allocate":{"v5":24}}"#, "allocate.v5: there is no such key"),
    Bad(#"{\#(node),"allocate":{"reserved":["x"]}}"#, "allocate.reserved[0]: \"x\""),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"backend":"udp"}"#, "backend: \"udp\" is unknown"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"vni":0}"#, "vni: 0 is no network's number"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"port":70000}"#, "port: 70000 is no port"),
    Bad(
      #"{\#(node),"subnets":["10.5.1.0/24"],"backend":"host-gw","vni":2}"#,
      "vni: is for the backend vxlan only"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"mtu":10}"#, "mtu: \"10\": an MTU lies between"),
    Bad(#"{\#(node),"subnets":["10.5.1.0/24"],"masquerade":"yes"}"#, "masquerade: expected true"),
  ]

  @Test("the node's file is refused with key and reason", arguments: badSettings)
  func refusesSettings(bad: Bad) throws {
    let error = #expect(throws: NodeFileError.self) {
      let document = try NodeDocument(
        parsing: Array(bad.text.utf8), path: "node.json",
        keys: [
          "name", "interface", "underlay", "cluster", "subnets", "allocate", "backend",
          "directRouting", "vni", "port", "mtu", "masquerade",
        ])
      _ = try NodeSettings(document)
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(bad.refusal), "\(text)")
  }

  private func local() throws -> LocalNode {
    LocalNode(
      name: try NodeName("a"), underlay: [try IPAddress("172.16.1.2")],
      cluster: [try Subnet("10.5.0.0/16")], subnets: [try Subnet("10.5.1.0/24")])
  }

  private func peer(_ name: String, _ underlay: String, _ subnet: String) throws -> Peer {
    Peer(
      name: try NodeName(name), underlay: [try IPAddress(underlay)],
      subnets: [try Subnet(subnet)])
  }

  @Test("peers that contradict the node or each other are refused, the first stays")
  func refusesContradictions() throws {
    let peers = [
      try peer("a", "172.16.1.2", "10.5.1.0/24"), try peer("b", "172.16.2.2", "10.5.2.0/24"),
      try peer("b", "172.16.3.2", "10.5.3.0/24"), try peer("c", "172.16.2.2", "10.5.3.0/24"),
      try peer("d", "172.16.1.2", "10.5.4.0/24"), try peer("e", "172.16.5.2", "10.5.1.128/25"),
      try peer("f", "172.16.6.2", "10.5.2.128/25"), try peer("g", "172.16.7.2", "10.7.0.0/24"),
      try peer("h", "10.5.8.8", "10.5.8.0/24"),
      Peer(
        name: try NodeName("i"), underlay: [try IPAddress("172.16.9.2")],
        subnets: [try Subnet("10.5.9.0/24")],
        hardwareAddresses: [
          .v4: VXLAN.hardwareAddress(of: try NodeName("b"), over: .v4)
        ]),
    ]
    let files = peers.enumerated().map {
      PeerFile.Entry(file: "\($0).json", content: .success($1))
    }
    let set = PeerSet(files, for: try local())
    #expect(set.peers.map(\.name.text) == ["b"])
    #expect(
      set.problems.map(\.description) == [
        "2.json: name: b has a file already",
        "3.json: underlay[0]: 172.16.2.2 is an address of b",
        "4.json: underlay[0]: 172.16.1.2 is an address of a",
        "5.json: subnets[0]: 10.5.1.128/25 overlaps 10.5.1.0/24 of this node, a",
        "6.json: subnets[0]: 10.5.2.128/25 overlaps 10.5.2.0/24 of 1.json",
        "7.json: subnets[0]: 10.7.0.0/24 lies in none of the cluster's ranges",
        "8.json: underlay[0]: 10.5.8.8 lies in 10.5.0.0/16, which is for pods",
        "9.json: backendData.VtepMAC: "
          + "\(VXLAN.hardwareAddress(of: try NodeName("b"), over: .v4)) is the hardware address of b",
      ])
  }

  @Test("what a node says of itself is what others read of it")
  func joins() throws {
    let node = try local()
    let bytes = JSONWriter.write(node.asPeer.document(network: 1))
    let document = try NodeDocument(parsing: bytes, path: "a.json", keys: nil)
    let read = try Peer(document)
    #expect(read.name == node.name)
    #expect(read.underlay == node.underlay)
    #expect(read.subnets == node.subnets)
    #expect(read.hardwareAddress(over: .v4) == node.asPeer.hardwareAddress(over: .v4))
  }

  @Test("what plugins read is what was published")
  func publishes() throws {
    let directory = try TemporaryDirectory()
    let node = NodeSubnets(
      node: "a", cluster: [try Subnet("10.5.0.0/16")],
      subnets: [try Subnet("10.5.1.0/24"), try Subnet("fd00:5:1::/64")], mtu: try MTU(1450),
      backend: "vxlan", devices: [try InterfaceName("flannel.1")], masquerades: true)
    let path = directory.path("run/deep/subnet.json")
    #expect(try NodeSubnets(reading: path) == nil)
    #expect(try NodeSubnets.publish(node.document, at: path))
    #expect(try !NodeSubnets.publish(node.document, at: path))
    #expect(try NodeSubnets(reading: path) == node)
  }

  @Test("a node's hardware address is its own, of one interface, and stays the same")
  func derivesAddress() throws {
    let first = VXLAN.hardwareAddress(of: try NodeName("node-a"), over: .v4)
    #expect(first == VXLAN.hardwareAddress(of: try NodeName("node-a"), over: .v4))
    #expect(first != VXLAN.hardwareAddress(of: try NodeName("node-a"), over: .v6))
    #expect(first != VXLAN.hardwareAddress(of: try NodeName("node-b"), over: .v4))
    #expect(!first.isMulticast)
    #expect(first.bytes[0] & 2 == 2)
  }

  @Test("a tunnel has flannel's name, and one that any link can have for the largest numbers")
  func namesTunnels() {
    #expect(VXLAN.deviceName(network: 1, over: .v4).text == "flannel.1")
    #expect(VXLAN.deviceName(network: 1, over: .v6).text == "flannel-v6.1")
    for network: UInt32 in [9_999, 10_000, 9_999_999, 10_000_000, 16_777_215] {
      #expect(VXLAN.deviceName(network: network, over: .v4).text.hasSuffix(".\(network)"))
      #expect(VXLAN.deviceName(network: network, over: .v6).text.hasSuffix(".\(network)"))
    }
  }
}
