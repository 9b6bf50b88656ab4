import Addressing
import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

@Suite("CHECK of bridge", .needsRoot)
struct BridgeCheckTests {
  static let damages = [
    Damage(
      "the pod's IPv4 address is gone", inPod: "addr del 10.1.2.2/24 dev eth0",
      says: "Failed to match addr 10.1.2.2/24 on interface eth0"),
    Damage(
      "the pod's IPv6 address is gone", inPod: "addr del fd00:1::2/64 dev eth0",
      says: "Failed to match addr fd00:1::2/64 on interface eth0"),
    Damage(
      "the pod's address has another length",
      inPod: "addr del 10.1.2.2/24 dev eth0", "addr add 10.1.2.2/25 dev eth0",
      says: "Failed to match addr 10.1.2.2/24 on interface eth0"),
    Damage(
      "the pod's default route is gone", inPod: "route del default",
      says: "Expected Route {Dst:0.0.0.0/0 GW:10.1.2.1} not found in routing table"),
    Damage(
      "the pod's IPv6 default route is gone", inPod: "-6 route del default",
      says: "Expected Route {Dst:::/0 GW:fd00:1::1} not found in routing table"),
    Damage(
      "the pod's subnet route is gone", inPod: "route del 10.1.2.0/24",
      says: "Failed to find Gateway 10.1.2.1 for interface eth0"),
    Damage("the pod's link is gone", inPod: "link del eth0", says: "Interface name eth0 not found"),
    Damage(
      "the pod's link is down", inPod: "link set eth0 down",
      says: "Interface eth0 is down"),
    Damage(
      "the pod's link has another name", inPod: "link set eth0 down", "link set eth0 name eth1",
      says: "Interface name eth0 not found"),
    Damage(
      "the pod's link has another address", inPod: "link set eth0 address 02:00:00:00:00:09",
      says: "doesn't match container Mac: 02:00:00:00:00:09"),
    Damage(
      "the pod's link is of another kind",
      inPod: "link del eth0", "link add eth0 address MAC type bridge",
      says: "Error: Container interface eth0 not of type veth"),
    Damage(
      "the port has another address", onHost: "link set VETH address 02:00:00:00:00:09",
      says: "Mac doesn't match: 02:00:00:00:00:09 not found"),
    Damage(
      "the port has left the bridge", onHost: "link set VETH nomaster",
      says: "CNI veth created for bridge cni0 was not found"),
    Damage(
      "the port has gone to another bridge", onHost: "link add br1 type bridge",
      "link set VETH master br1", says: "CNI veth created for bridge cni0 was not found"),
    Damage("the port is down", onHost: "link set VETH down", says: "is down"),
    Damage(
      "the port is hidden from others", onHost: "link set VETH type bridge_slave isolated on",
      says: "portIsolation"),
    Damage(
      "the port sends back", onHost: "link set VETH type bridge_slave hairpin on",
      says: "hairpinMode"),
    Damage("the bridge is gone", onHost: "link del cni0", says: "Interface name cni0 not found"),
    Damage("the bridge is down", onHost: "link set cni0 down", says: "Interface cni0 is down"),
    Damage(
      "the bridge has another address", onHost: "link set cni0 address 02:00:00:00:00:09",
      says: "doesn't match bridge Mac: 02:00:00:00:00:09"),
    Damage(
      "the bridge is no bridge", onHost: "link del cni0",
      "link add cni0 address MAC type veth peer name other0",
      says: "Interface cni0 does not have link type of bridge"),
    Damage(
      "the bridge takes no frames for others", onHost: "link set cni0 promisc off",
      says: "Bridge interface cni0 configured Promisc Mode true doesn't match current state: false"),
    Damage(
      "the gateway's address is gone", onHost: "addr del 10.1.2.1/24 dev cni0",
      says: "cni0 does not have the gateway's address 10.1.2.1/24"),
    Damage(
      "the gateway's IPv6 address is gone", onHost: "addr del fd00:1::1/64 dev cni0",
      says: "cni0 does not have the gateway's address fd00:1::1/64"),
    Damage(
      "our table is gone", onHost: "nft delete table inet swift_cni",
      says: "masquerading of 10.1.2.2/24, fd00:1::2/64: the rules of table"),
    Damage(
      "the pod's masquerading is gone",
      onHost: "nft flush set inet swift_cni masquerade_v4",
      says: "masquerading of 10.1.2.2/24, fd00:1::2/64: an element of set masquerade_v4"),
    Damage(
      "the owner's entry is gone", onHost: "nft flush set inet swift_cni masquerade_owners",
      says: "masquerading of 10.1.2.2/24, fd00:1::2/64: the attachment has no entry"),
    Damage(
      "the rules of our chains are gone", onHost: "nft flush table inet swift_cni",
      says: "masquerading of 10.1.2.2/24, fd00:1::2/64: the rules of table"),
    Damage(
      "the spoof check's table is gone", onHost: "nft delete table bridge swift_cni",
      says: "is not in force"),
    Damage(
      "the spoof check of the pod is gone",
      onHost: "nft flush set bridge swift_cni spoof_checked", says: "is not in force"),
  ]

  static func network(_ lab: PluginLab) -> TestNetwork {
    lab.network(
      "bridge",
      ["isDefaultGateway": true, "ipMasq": true, "macspoofchk": true, "promiscMode": true],
      ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64"))
  }

  @Test("tells what is wrong when", arguments: damages)
  func damaged(_ damage: Damage) throws {
    let lab = try PluginLab()
    try damage.expectNotice(on: Self.network(lab), of: lab)
  }

  @Test("asks the IPAM plugin, whose answer counts")
  func ipam() throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = Self.network(lab)
    let added = try lab.add(network, pod)
    try File.remove(lab.state.path("networks/net/10.1.2.2"))
    #expect(try lab.check(network.after(added), pod).error?.message.contains("host-local") == true)
  }

  /// A previous result that does not fit, as a change of the true one.
  struct Misfit: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let change: @Sendable (inout JSONObject) -> Void
    let says: String
  }

  static let misfits = [
    Misfit(
      testDescription: "is missing", change: { $0["prevResult"] = nil },
      says: "Required prevResult missing"),
    Misfit(
      testDescription: "has no bridge",
      change: { $0["prevResult"] = without("cni0", in: $0["prevResult"]) },
      says: "CNI created bridge cni0 in host namespace was not found"),
    Misfit(
      testDescription: "has no container",
      change: { $0["prevResult"] = without("eth0", in: $0["prevResult"]) },
      says: "Container Interface name in prevResult: eth0 not found"),
    Misfit(
      testDescription: "is of another namespace",
      change: { document in
        let text = JSONWriter.text(document["prevResult"] ?? nil)
          .replacing(/"sandbox":"[^"]*"/, with: #""sandbox":"/run/netns/other""#)
        document["prevResult"] = parsed(text)
      }, says: "Sandbox in prevResult /run/netns/other doesn't match configured netns: /proc/"),
    Misfit(
      testDescription: "has another address",
      change: { document in
        let text = JSONWriter.text(document["prevResult"] ?? nil)
          .replacing("10.1.2.2/24", with: "10.1.2.3/24")
        document["prevResult"] = parsed(text)
      }, says: "Failed to find address 10.1.2.3 added by container ID one"),
  ]

  @Test("refuses a previous result that", arguments: misfits)
  func previousResult(_ misfit: Misfit) throws {
    let lab = try PluginLab()
    let pod = try Pod("one")
    let network = Self.network(lab)
    var check = try network.after(try lab.add(network, pod))
    misfit.change(&check.document)
    let message = try lab.check(check, pod).error?.message
    #expect(message?.contains(misfit.says) == true, "it said: \(message ?? "nothing")")
  }

  private static func without(_ name: String, in result: JSONValue?) -> JSONValue {
    var document = result?.objectValue ?? [:]
    let kept = document["interfaces"]?.listValue?.filter {
      $0.objectValue?["name"]?.textValue != name
    }
    document["interfaces"] = .array(kept ?? [])
    return .object(document)
  }

  private static func parsed(_ text: String) -> JSONValue? {
    do { return try JSONParser.parse(text) } catch { return nil }
  }
}
