import Addressing
import JSON
import TestSupport
import Testing
import Witness

@Suite("The next apply heals", .needsRoot)
struct HealingTests {
  static let damages = [
    "ip link del flannel.1",
    "ip link del flannel-v6.1",
    "ip link del flannel.1; ip link del flannel-v6.1; nft delete table inet swift_cni_overlay",
    "ip link set flannel.1 down; ip link set flannel.1 name other; ip link set other up",
    "ip link del flannel.1; ip link add flannel.1 type vxlan id 9 dstport 4789 local 172.16.1.2",
    "ip link del flannel.1; ip link add flannel.1 up type vxlan id 1 dstport 8472 local 172.16.1.2",
    "ip link set flannel.1 down",
    "ip link set flannel.1 address 02:00:00:00:00:99",
    "ip link set flannel.1 mtu 1200",
    "ip link set flannel.1 alias ''",
    "ip addr flush dev flannel.1",
    "ip addr add 10.5.9.0/32 dev flannel.1",
    "ip route del 10.5.2.0/24",
    "ip -6 route del fd00:5:2::/64",
    "ip route del unreachable 10.5.0.0/16",
    "ip rule del from 10.5.1.0/24",
    "ip -6 rule del from fd00:5:1::/64",
    "ip rule del from 10.5.1.0/24; ip rule add from 10.5.1.0/24 lookup 7 pref 77 proto 195",
    "ip route flush table 195",
    "ip -6 route flush table 195",
    "ip route replace 172.16.2.2/32 via 172.16.1.1 table 195 proto 195",
    "ip route replace 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink proto 195",
    "ip -6 route replace fd00:5:2::/64 via fd00:5:2:: dev flannel-v6.1 onlink proto 195",
    "ip neigh del 10.5.2.0 dev flannel.1",
    "ip neigh replace 10.5.2.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent proto 195",
    "bridge fdb flush dev flannel.1 2>&1 || bridge fdb del $(bridge fdb show dev flannel.1 | "
      + "grep 172.16.2.2 | cut -d' ' -f1) dev flannel.1",
    "nft delete table inet swift_cni_overlay",
    "nft flush chain inet swift_cni_overlay tunnel",
    "nft flush set inet swift_cni_overlay from_v4_in_v4_24",
    "nft flush set inet swift_cni_overlay from_v6_in_v6_128",
    "nft flush table inet swift_cni",
    "echo 0 > /proc/sys/net/ipv4/ip_forward",
  ]

  @Test("what anybody has done to tunnels, routes and filters", arguments: damages)
  func heals(damage: String) throws {
    let lab = try ClusterLab(2)
    try lab.apply()
    let pods = try lab.pods()
    let node = lab[1]
    let whole = try node.snapshot()
    try node.sh(damage)
    let said = try node.apply()
    #expect(said != "nothing to change")
    #expect(Witness.difference(from: whole, to: try node.snapshot()) == [])
    #expect(try node.apply() == "nothing to change")
    try lab.expectAllPairs(pods)
  }

  @Test("and routes that went with the link they left by")
  func healsDirectRoutes() throws {
    let lab = try ClusterLab(2, .switched, settings: ["backend": "host-gw"])
    try lab.apply()
    let pods = try lab.pods()
    let whole = try lab[1].snapshot()
    try lab[1].sh(
      "ip link set eth0 down; ip link set eth0 up; ip addr add fd00:100::1/64 dev eth0 nodad")
    let said = try lab[1].apply()
    #expect(said.contains("add route 10.5.2.0/24 via 172.16.0.2"), "\(said)")
    #expect(Witness.difference(from: whole, to: try lab[1].snapshot()) == [])
    try lab.expectAllPairs(pods)
  }
}
