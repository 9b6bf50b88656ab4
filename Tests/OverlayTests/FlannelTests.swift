import Addressing
import JSON
import Linux
import Synchronization
import TestSupport
import Testing
import Witness

@Suite("Beside flannel", .needsRoot)
struct FlannelTests {
  @Test("a node whose tunnel was made by hand, as flannel makes it, is a peer like others")
  func mixes() throws {
    let lab = try ClusterLab(3, families: [.v4])
    let foreign = lab[3]
    let address = "02:00:00:00:00:03"
    var file = foreign.peerFile
    file["backendData"] = ["VNI": 1, "VtepMAC": .string(address)]
    for number in [1, 2] {
      try lab[number].write(peer: "node-3", file)
      try lab[number].apply()
    }
    try foreign.sh(
      """
      echo 1 > /proc/sys/net/ipv4/ip_forward
      ip link add flannel.1 address \(address) mtu 1450 type vxlan id 1 dev eth0 \
      local 172.16.3.2 dstport 8472 nolearning
      ip addr add 10.5.3.0/32 dev flannel.1
      ip link set flannel.1 up
      ip link add cni0 up type bridge
      ip addr add 10.5.3.1/24 dev cni0
      """)
    for number in [1, 2] {
      let mac = try #require(
        try lab[number].run { try Witness.link(named: "flannel.1")?.hardwareAddress })
      try foreign.sh(
        """
        ip neigh replace 10.5.\(number).0 lladdr \(mac) dev flannel.1 nud permanent
        bridge fdb replace \(mac) dst 172.16.\(number).2 dev flannel.1 self permanent
        ip route replace 10.5.\(number).0/24 via 10.5.\(number).0 dev flannel.1 onlink
        """)
    }
    let pod = try LabPod("node-3-by-hand")
    pod.addresses.withLock { addresses in
      if let address = try? IPAddress("10.5.3.7") { addresses = [address] }
    }
    try foreign.sh(
      "ip link add v0 up master cni0 type veth peer name eth0 netns \(pod.namespace.path)")
    try pod.sh(
      "ip addr add 10.5.3.7/24 dev eth0; ip link set eth0 up; ip route add default via 10.5.3.1")
    let pods = [try lab[1].pod("one"), try lab[2].pod("one"), pod]
    try lab.expectAllPairs(pods, families: [.v4])

    // Its own address is reached in the tunnel; with masquerading past it, from the pod's node.
    let answerer = try Answerer(
      "flannel", in: foreign.namespace, at: [try IPAddress(foreign.underlay(.v4))])
    for masquerades in [false, true] {
      if masquerades {
        try lab[1].write(["masquerade": true], peers: [])
        try lab[1].apply()
      }
      for transport in [Transport.tcp, .udp] {
        let caller = try Caller(
          Way(transport: transport, family: .v4), from: pods[0],
          to: try IPAddress(foreign.underlay(.v4)), Answerer.port)
        let source = masquerades ? lab[1].underlay(.v4) : try pods[0].address(.v4)
        #expect(try caller.speak() == .heard(by: "flannel", from: source))
      }
    }
    try lab.expectAllPairs(pods, families: [.v4])
    withExtendedLifetime(answerer) {}
  }

  @Test("a tunnel that flannel has left is taken over, with its pods reached all the time")
  func takesOver() throws {
    let lab = try ClusterLab(2, families: [.v4])
    try lab[1].sh(
      """
      ip link add flannel.1 address 02:00:00:00:00:01 mtu 1450 type vxlan id 1 dev eth0 \
      local 172.16.1.2 dstport 8472 nolearning
      ip addr add 10.5.1.0/32 dev flannel.1; ip link set flannel.1 up
      """)
    let index = try lab[1].run { try Witness.link(named: "flannel.1")?.index }
    try lab.apply()
    let after = try #require(try lab[1].run { try Witness.link(named: "flannel.1") })
    #expect(after.index == index)
    #expect(after.hardwareAddress != "02:00:00:00:00:01")
    try lab.expectAllPairs(try lab.pods())
  }

  @Test("its CNI plugin finds its file, in its own words and readable by all")
  func writesEnvironment() throws {
    let lab = try ClusterLab(1, settings: ["masquerade": true])
    try lab.apply()
    #expect(
      try lab[1].directory.text("run/subnet.env") == """
        FLANNEL_NETWORK=10.5.0.0/16
        FLANNEL_SUBNET=10.5.1.1/24
        FLANNEL_IPV6_NETWORK=fd00:5::/32
        FLANNEL_IPV6_SUBNET=fd00:5:1::1/64
        FLANNEL_MTU=1430
        FLANNEL_IPMASQ=true

        """)
    for name in ["subnet.env", "subnet.json"] {
      #expect(try File.status(of: lab[1].directory.path("run/\(name)"))?.mode == 0o644)
    }
  }

  /// The network that flannel's CNI plugin hands to bridge.
  ///
  /// flannel-io/cni-plugin: `doCmdAdd` of flannel_linux.go.
  private func network(_ node: LabNode) throws -> String {
    let text = try #require(try node.directory.text("run/subnet.env"))
    var variables: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=").map(String.init)
      variables[parts[0]] = parts[1]
    }
    func variable(_ name: String) throws -> String { try #require(variables[name]) }
    let subnets = try ["FLANNEL_SUBNET", "FLANNEL_IPV6_SUBNET"].map {
      try InterfaceAddress(try variable($0)).subnet.description
    }
    let routes = try ["FLANNEL_NETWORK", "FLANNEL_IPV6_NETWORK"].map { try variable($0) }
    let network: JSONObject = [
      "cniVersion": "1.0.0", "name": "cbr0", "type": "bridge", "isGateway": true,
      "isDefaultGateway": true, "hairpinMode": true,
      "ipMasq": .bool(try variable("FLANNEL_IPMASQ") != "true"),
      "mtu": .number(try variable("FLANNEL_MTU")),
      "ipam": [
        "type": "host-local", "dataDir": .string(node.directory.path("networks")),
        "ranges": .array(subnets.map { [["subnet": .string($0)]] }),
        "routes": .array(routes.map { ["dst": .string($0)] }),
      ],
    ]
    return JSONWriter.text(.object(network))
  }

  @Test("upstream's bridge, as flannel's CNI plugin calls it, joins pods without NAT")
  func servesUpstream() throws {
    let lab = try ClusterLab(2, settings: ["masquerade": true])
    try lab.apply()
    var pods: [LabPod] = []
    for node in lab.nodes {
      let pod = try LabPod("\(node.name)-upstream")
      try node.directory.write("network", try network(node))
      let answer = try node.run {
        try Shell.run(
          """
          CNI_COMMAND=ADD CNI_CONTAINERID=\(pod.name) CNI_NETNS=\(pod.namespace.path) \
          CNI_IFNAME=eth0 CNI_PATH=/usr/lib/cni /usr/lib/cni/bridge < \(node.directory.path("network"))
          """)
      }
      let ips = try JSONParser.parse(answer).objectValue?["ips"]?.listValue ?? []
      let addresses = try ips.map {
        try InterfaceAddress($0.objectValue?["address"]?.textValue ?? "").address
      }
      pod.addresses.withLock { $0 = addresses }
      pods.append(pod)
    }
    try lab.expectAllPairs(pods)
    #expect(try pods[0].run { try Witness.link(named: "eth0")?.mtu } == 1430)
    try lab.sh("ip addr add 192.0.2.1/32 dev lo")
    #expect(
      try Traffic.exchange(.tcp, from: pods[0].namespace, to: lab.middle, at: "192.0.2.1")
        == lab[1].underlay(.v4))
  }
}
