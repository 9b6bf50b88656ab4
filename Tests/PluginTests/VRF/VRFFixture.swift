import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A pod with two interfaces, and a list whose second plugin is vrf.
///
/// `eth0` leads to the host and `net1` to a second router; both networks have the same addresses:
/// the pod's end in 2, the router's in 1.
struct VRFFixture {
  let lab: PluginLab
  let pod: Pod
  let second: Pod

  init() throws {
    lab = try PluginLab()
    pod = try Pod("one")
    second = try Pod("router")
    try lab.ip("link add r1 type veth peer name eth0 netns \(pod.path)")
    try second.ip("link add r1 type veth peer name net1 netns \(pod.path)")
    for run in [lab.ip, second.ip] {
      try run("addr add 10.1.0.1/24 dev r1")
      try run("addr add fd00:1::1/64 dev r1 nodad")
      try run("link set r1 up")
    }
  }

  /// Gives one of the interfaces addresses and routes, as the plugin before does.
  func configure(_ link: String) throws {
    try pod.ip("addr add 10.1.0.2/24 dev \(link)")
    try pod.ip("addr add fd00:1::2/64 dev \(link) nodad")
    try pod.ip("link set \(link) up")
    try pod.ip("route add default via 10.1.0.1 dev \(link)")
    try pod.ip("route add 10.9.0.0/16 dev \(link) scope link")
    try pod.ip("-6 route add default via fd00:1::1 dev \(link)")
  }

  /// A network of the plugin, with the result of the plugin before it.
  func network(_ name: String = "blue", _ keys: JSONObject = [:]) -> TestNetwork {
    lab.network(
      "vrf",
      [
        "vrfName": .string(name),
        "prevResult": [
          "cniVersion": "1.1.0", "interfaces": [["name": "eth0", "sandbox": .string(pod.path)]],
          "ips": [["address": "10.1.0.2/24", "interface": 0]],
        ],
      ]
    ).with(keys)
  }

  /// Asks about one of the interfaces.
  func ask(_ command: String, _ network: TestNetwork, _ link: String = "eth0") throws
    -> PluginOutcome
  {
    var call = lab.call(network, pod)
    call.interface = link
    return try lab.ask(command, call)
  }

  /// The VRF that an interface is in; nil for none.
  func vrf(of link: String = "eth0") throws -> SeenLink? {
    try pod.run {
      let links = try Witness.links()
      let master = links.first { $0.name == link }?.master
      return links.first { $0.index == master && $0.kind == "vrf" }
    }
  }

  func tables() throws -> [String: UInt32] {
    try pod.run {
      Dictionary(
        uniqueKeysWithValues: try Witness.links().compactMap { link in
          link.vrfTable.map { (link.name, $0) }
        })
    }
  }

  /// The unicast routes of an interface in a table.
  func routes(_ table: UInt32, on link: String = "eth0") throws -> [String] {
    try pod.run {
      let index = try Witness.link(named: link)?.index
      return try Witness.routes()
        .filter { $0.table == table && $0.linkIndex == index && $0.type == 1 }
        .filter { !$0.isOfLinkLocalOrGroup }.map(\.text).sorted()
    }
  }

  /// Whether something answers to the pod, asked through a VRF or out of the main table.
  func reaches(_ target: String, by link: String, patience: String? = nil) throws -> Bool {
    try pod.run { try Traffic.pings(target, by: link, patience: patience) }
  }

  static let allRoutes = [
    "0.0.0.0/0 via 10.1.0.1", "10.1.0.0/24 from 10.1.0.2", "10.9.0.0/16", "::/0 via fd00:1::1",
    "fd00:1::/64",
  ]
}
