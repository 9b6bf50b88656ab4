import CNI
import JSON
import Linux
import TestSupport
import Testing
import Witness

/// A pod with two interfaces to a router on the host, and a list whose second plugin is sbr.
///
/// `eth0` has 10.1.0.2/24 and fd00:1::2/64 with gateways that end in 1 and the default routes;
/// `net1` has the same of network 2, without default routes.
struct SourceRoutingFixture {
  let lab: PluginLab
  let pod: Pod

  init() throws {
    lab = try PluginLab()
    pod = try Pod("one", interface: "net1")
    for (number, link) in [(1, "eth0"), (2, "net1")] {
      try lab.ip("link add r\(number) type veth peer name \(link) netns \(pod.path)")
      try lab.ip("addr add 10.\(number).0.1/24 dev r\(number)")
      try lab.ip("addr add fd00:\(number)::1/64 dev r\(number) nodad")
      try lab.ip("link set r\(number) up")
      try pod.ip("addr add 10.\(number).0.2/24 dev \(link)")
      try pod.ip("addr add fd00:\(number)::2/64 dev \(link) nodad")
      try pod.ip("link set \(link) up")
    }
    try pod.ip("route add default via 10.1.0.1")
    try pod.ip("-6 route add default via fd00:1::1")
  }

  /// A network of the plugin, with the result of the plugin before it about one of the interfaces.
  func network(_ keys: JSONObject = [:], interface: String = "net1") -> TestNetwork {
    let number = interface == "eth0" ? 1 : 2
    return lab.network(
      "sbr",
      [
        "cniVersion": "1.0.0",
        "prevResult": [
          "cniVersion": "1.0.0",
          "interfaces": [
            ["name": "veth1"], ["name": .string(interface), "sandbox": .string(pod.path)],
          ],
          "ips": [
            [
              "address": .string("10.\(number).0.2/24"), "gateway": .string("10.\(number).0.1"),
              "interface": 1,
            ],
            [
              "address": .string("fd00:\(number)::2/64"), "gateway": .string("fd00:\(number)::1"),
              "interface": 1,
            ],
          ],
        ],
      ]
    ).with(keys)
  }

  /// Rules that the kernel has not made, as `from → table`, in their order.
  func rules() throws -> [String] {
    try pod.run { try Witness.rules() }.filter { $0.source != nil }
      .map { "\($0.source ?? "") → \($0.table)" }
  }

  /// Routes of the tables but for the kernel's local one, as `table: destination via gateway`.
  func routes(on link: String? = "net1") throws -> [String] {
    try pod.run {
      let index = try link.map { try Witness.link(named: $0)?.index ?? 0 }
      return try Witness.routes().filter {
        $0.table != 255 && (index == nil || $0.linkIndex == index) && !$0.isOfLinkLocalOrGroup
      }
      .map { "\($0.table): \($0.text)" }.sorted()
    }
  }

  /// Whether something the host has answers to a packet that carries one of the pod's addresses.
  func reaches(
    _ target: String, from source: String, patience: String? = nil
  ) throws -> Bool {
    try pod.run { try Traffic.pings(target, by: source, patience: patience) }
  }

  /// Expects an ADD to be refused with these words, and nothing to have changed.
  func expectRefusal(
    _ network: TestNetwork, saying words: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try pod.picture()
    let error = try lab.add(network, pod).error
    #expect(
      error?.description.contains(words) == true, "it said: \(error?.description ?? "nothing")",
      sourceLocation: sourceLocation)
    try pod.expectUnchanged(since: before, sourceLocation: sourceLocation)
  }
}
