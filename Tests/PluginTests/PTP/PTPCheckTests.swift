import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing

@Suite("CHECK of ptp", .needsRoot)
struct PTPCheckTests {
  static let damages = [
    Damage(
      "the pod's address is gone", inPod: "addr del 10.1.2.2/24 dev eth0",
      says: "Failed to match addr 10.1.2.2/24 on interface eth0"),
    Damage(
      "the pod's default route is gone", inPod: "route del default",
      says: "Expected Route {Dst:0.0.0.0/0} not found in routing table"),
    Damage(
      "the pod's subnet route is gone", inPod: "route del 10.1.2.0/24",
      says: "Failed to find Gateway 10.1.2.1 for interface eth0"),
    Damage("the pod's link is gone", inPod: "link del eth0", says: "Interface name eth0 not found"),
    Damage("the pod's link is down", inPod: "link set eth0 down", says: "Interface eth0 is down"),
    Damage(
      "the pod's link has another address", inPod: "link set eth0 address 02:00:00:00:00:09",
      says: "doesn't match container Mac: 02:00:00:00:00:09"),
    Damage(
      "the host's route is gone", onHost: "route del 10.1.2.2/32",
      says: "no route on the host leads 10.1.2.2 to eth0"),
    Damage(
      "the host's route leads elsewhere", onHost: "route replace 10.1.2.2/32 dev lo",
      says: "no route on the host leads 10.1.2.2 to eth0"),
    Damage(
      "the host's IPv6 route is gone", onHost: "-6 route del fd00:1::2/128",
      says: "no route on the host leads fd00:1::2 to eth0"),
    Damage("the host's end is down", onHost: "link set VETH down", says: "is down"),
    Damage(
      "the gateway's IPv6 address is gone", onHost: "addr del fd00:1::1/128 dev VETH",
      says: "does not have the gateway's address fd00:1::1"),
    Damage(
      "the masquerading is gone", onHost: "nft delete table inet swift_cni",
      says: "masquerading of 10.1.2.2/24, fd00:1::2/64: the rules of table"),
  ]

  @Test("tells what is wrong when", arguments: damages)
  func damaged(_ damage: Damage) throws {
    let lab = try PluginLab()
    try damage.expectNotice(on: PairPlugin.ptp.network(in: lab), of: lab)
  }

  @Test("asks the IPAM plugin, whose answer counts, and needs a previous result")
  func questions() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = PairPlugin.ptp.network(in: lab)
    let added = try lab.add(network, pod)
    #expect(
      try lab.check(network, pod).error?.message.contains("Required prevResult missing") == true)
    try File.remove(lab.state.path("networks/net/10.1.2.2"))
    #expect(try lab.check(network.after(added), pod).error?.message.contains("host-local") == true)
  }
}
