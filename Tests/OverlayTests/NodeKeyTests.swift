import Addressing
import CNI
import JSON
import Linux
import Synchronization
import TestSupport
import Testing
import Witness

@Suite("Plugins take from the node what the configuration calls \"node\"", .needsRoot)
struct NodeKeyTests {
  @Test("addresses of both families out of the node's subnets, and its MTU")
  func takes() throws {
    let lab = try ClusterLab(1)
    try lab.apply()
    let before = try lab[1].snapshot()
    let pod = try lab[1].pod("one")
    #expect(try pod.run { try Witness.addresses(on: "eth0") } == ["10.5.1.2/24", "fd00:5:1::2/64"])
    #expect(try pod.run { try Witness.link(named: "eth0")?.mtu } == 1430)
    try lab[1].ask(
      "CHECK", lab[1].network(["prevResult": .object(pod.result.withLock { $0 })]), pod: pod
    )
    .succeed()
    // Without the file DEL works all the same.
    try File.remove(lab[1].directory.path("run/subnet.json"))
    try lab[1].ask("DEL", lab[1].network(), pod: pod).succeed()
    try lab[1].sh("ip link del cni0")
    #expect(Witness.difference(from: before, to: try lab[1].snapshot()) == [])
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let command: String
    let code: Int
    let message: String
    let prepare: String
    var keys: JSONObject = [:]
  }

  static let cases = [
    Case(
      testDescription: "ADD before the first apply", command: "ADD", code: 11,
      message: "this node has no subnet yet", prepare: "rm DIR/run/subnet.json"),
    Case(
      testDescription: "STATUS before the first apply", command: "STATUS", code: 50,
      message: "this node has no subnet yet", prepare: "rm DIR/run/subnet.json"),
    Case(
      testDescription: "ADD with a damaged file", command: "ADD", code: 11,
      message: "cannot be read", prepare: "echo { > DIR/run/subnet.json"),
    Case(
      testDescription: "ADD while the tunnel is gone", command: "ADD", code: 11,
      message: "the tunnel flannel.1 to the other nodes is gone",
      prepare: "ip link del flannel.1"),
    Case(
      testDescription: "STATUS while the tunnel is gone", command: "STATUS", code: 50,
      message: "the tunnel flannel.1 to the other nodes is gone",
      prepare: "ip link del flannel.1"),
    Case(
      testDescription: "ADD with a range besides", command: "ADD", code: 7,
      message: "ipam.rangeStart goes without", prepare: "true",
      keys: ["rangeStart": "10.5.1.9"]),
    Case(
      testDescription: "ADD with a path that is none", command: "ADD", code: 7,
      message: "ipam.subnetFile: an absolute path is expected", prepare: "true",
      keys: ["subnetFile": "here"]),
  ]

  @Test("or say what is missing and what to do, and change nothing", arguments: cases)
  func refuses(asked: Case) throws {
    let lab = try ClusterLab(1)
    try lab.apply()
    let node = lab[1]
    // The bridge stays, whatever becomes of the pod.
    _ = try node.pod("first")
    try node.sh(asked.prepare.replacing("DIR", with: node.directory.path))
    let before = try node.snapshot()
    let pod = try LabPod("one")
    let outcome = try node.ask(
      asked.command, node.network(["mtu": 1400], ipam: asked.keys), pod: pod)
    let error = try outcome.document()
    #expect(error["code"]?.integerValue == asked.code)
    let text = "\(error["msg"]?.textValue ?? "") \(error["details"]?.textValue ?? "")"
    #expect(text.contains(asked.message), "\(text)")
    #expect(Witness.difference(from: before, to: try node.snapshot()) == [])
  }

  @Test("and the node's subnets may be allotted, the same after each apply")
  func allots() throws {
    let lab = try ClusterLab(
      2, settings: ["subnets": nil, "allocate": ["v4": 26, "reserved": ["10.5.128.0/17"]]])
    // The peers' files do not know yet.
    for node in lab.nodes { for other in lab.nodes { try node.remove(peer: other.name) } }
    try lab.apply()
    let first = try lab[1].cnictl("join-info")
    try lab[1].apply()
    #expect(try lab[1].cnictl("join-info") == first)
    for (node, other) in [(lab[1], lab[2]), (lab[2], lab[1])] {
      try node.directory.write("etc/peers.d/other.json", try other.cnictl("join-info"))
      try node.apply()
    }
    let pods = try lab.pods()
    try lab.expectAllPairs(pods)
    for pod in pods {
      let address = try IPAddress(try pod.address(.v4))
      #expect(try Subnet("10.5.0.0/17").contains(address))
    }
  }
}

@Suite("What leaves the cluster", .needsRoot)
struct EgressTests {
  @Test(
    "is hidden behind the node, what stays within is not: by bridge's ipMasq, or by the node",
    arguments: [true, false])
  func hides(byBridge: Bool) throws {
    let lab = try ClusterLab(2, settings: ["masquerade": .bool(!byBridge)])
    try lab.apply()
    let one = try lab[1].pod("one", keys: ["ipMasq": .bool(byBridge)])
    let two = try lab[2].pod("two", keys: ["ipMasq": .bool(byBridge)])
    try lab.sh("ip addr add 192.0.2.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo nodad")
    for transport in Traffic.Transport.allCases {
      for family in IPFamily.allCases {
        #expect(
          try Traffic.exchange(
            transport, from: one.namespace, to: two.namespace, at: try two.address(family))
            == (try one.address(family)))
        #expect(
          try Traffic.exchange(
            transport, from: one.namespace, to: lab.middle,
            at: family == .v4 ? "192.0.2.1" : "2001:db8::1") == lab[1].underlay(family))
        // What goes to a node by the tunnel stays within as well.
        let heard = try Traffic.exchange(
          transport, from: one.namespace, to: lab[2].namespace, at: lab[2].underlay(family))
        #expect(heard == (try one.address(family)))
      }
    }
    // A table that was made before, or is made anew, spares the cluster too.
    #expect(try lab[1].apply() == "nothing to change")
  }

  @Test(
    "is seen under the address that the pod or its network asks for, until DEL",
    arguments: ["bridge", "ptp"])
  func choosesAddress(plugin: String) throws {
    let lab = try ClusterLab(2)
    try lab.apply()
    let node = lab[1]
    try node.sh(
      """
      ip addr add 192.0.2.77/32 dev lo; ip addr add 192.0.2.78/32 dev lo
      ip addr add 2001:db8:7::77/128 dev lo nodad
      """)
    try lab.sh(
      """
      ip addr add 198.51.100.1/32 dev lo; ip addr add 2001:db8::1/128 dev lo nodad
      ip route add 192.0.2.0/24 via 172.16.1.2; ip route add 2001:db8:7::/64 via fd00:100:1::2
      """)
    _ = try node.pod("first", by: plugin, keys: ["ipMasq": true])
    let before = try node.snapshot()
    let own: JSONObject = ["ipMasq": true, "egressIP": ["192.0.2.77", "2001:db8:7::77"]]
    let one = try node.pod("one", by: plugin, keys: own)
    let asking: JSONObject = [
      "ipMasq": true, "egressIP": "192.0.2.77", "args": ["cni": ["egressIP": "192.0.2.78"]],
    ]
    let two = try node.pod("two", by: plugin, keys: asking)
    let annotated = try node.pod(
      "three", by: plugin,
      keys: [
        "ipMasq": true, "capabilities": ["io.kubernetes.cri.pod-annotations": true],
        "runtimeConfig": [
          "io.kubernetes.cri.pod-annotations": ["swift-cni.dev/egress-ip": "192.0.2.78"]
        ],
      ])
    let far = try lab[2].pod("far")
    for transport in Traffic.Transport.allCases {
      for (pod, outside) in [(one, "192.0.2.77"), (two, "192.0.2.78"), (annotated, "192.0.2.78")] {
        #expect(
          try Traffic.exchange(
            transport, from: pod.namespace, to: lab.middle, at: "198.51.100.1") == outside)
        #expect(
          try Traffic.exchange(
            transport, from: pod.namespace, to: far.namespace, at: try far.address(.v4))
            == (try pod.address(.v4)))
        let heard = try Traffic.exchange(
          transport, from: pod.namespace, to: lab[2].namespace, at: lab[2].underlay(.v4))
        #expect(heard == (try pod.address(.v4)))
      }
      #expect(
        try Traffic.exchange(transport, from: one.namespace, to: lab.middle, at: "2001:db8::1")
          == "2001:db8:7::77")
      // A family for which nothing was chosen leaves as usual.
      #expect(
        try Traffic.exchange(transport, from: two.namespace, to: lab.middle, at: "2001:db8::1")
          == node.underlay(.v6))
    }
    var checked = own
    checked["prevResult"] = .object(one.result.withLock { $0 })
    try node.ask("CHECK", node.network(checked), by: plugin, pod: one).succeed()
    try node.sh("nft flush map inet swift_cni egress_v4")
    let outcome = try node.ask("CHECK", node.network(checked), by: plugin, pod: one)
    #expect("\(try outcome.document())".contains("does not leave as 192.0.2.77"))
    // What has gone is no obstacle, and DEL needs no key.
    for pod in [one, two, annotated] {
      try node.ask("DEL", node.network(["ipMasq": true]), by: plugin, pod: pod).succeed()
    }
    #expect(Witness.difference(from: before, to: try node.snapshot()) == [])
  }

  @Test(
    "cannot be an address that makes no sense",
    arguments: [
      (["ipMasq": true, "egressIP": "192.0.2.99"], "192.0.2.99 is no address of this node"),
      (["ipMasq": true, "egressIP": "127.0.0.1"], "127.0.0.1 is no address of this node"),
      (["ipMasq": true, "egressIP": "host"], "egressIP"),
      (["ipMasq": true, "egressIP": 7], "egressIP"),
      (["ipMasq": true, "egressIP": ["172.16.1.2", "172.16.1.3"]], "more than one IPv4 address"),
      (["egressIP": "172.16.1.2"], "egressIP needs"),
    ] as [(JSONObject, String)])
  func refusesAddress(keys: JSONObject, message: String) throws {
    let lab = try ClusterLab(1)
    try lab.apply()
    let node = lab[1]
    _ = try node.pod("first", keys: ["ipMasq": true])
    let before = try node.snapshot()
    let outcome = try node.ask("ADD", node.network(keys), pod: try LabPod("one"))
    #expect("\(try outcome.document())".contains(message))
    #expect(Witness.difference(from: before, to: try node.snapshot()) == [])
  }

  @Test("pods of another network of the node are hidden from the cluster too")
  func hidesOthers() throws {
    let lab = try ClusterLab(2, families: [.v4])
    try lab.apply()
    let two = try lab[2].pod("two")
    let other = try lab[1].pod(
      "other",
      keys: [
        "ipMasq": true, "bridge": "other0", "name": "other", "mtu": 1400,
        "ipam": [
          "type": "host-local", "subnet": "192.168.9.0/24", "routes": [["dst": "0.0.0.0/0"]],
          "dataDir": .string(lab[1].directory.path("networks")),
        ],
      ])
    #expect(
      try Traffic.exchange(
        .tcp, from: other.namespace, to: two.namespace, at: try two.address(.v4)) == "10.5.1.0")
  }
}
