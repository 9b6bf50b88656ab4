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
}
