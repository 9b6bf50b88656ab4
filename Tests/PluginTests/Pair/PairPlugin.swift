import CNI
import JSON
import Linux
import TestSupport
import Testing

/// The two plugins that join a container by a pair of links, for what both must do alike.
enum PairPlugin: String, CaseIterable, CustomTestStringConvertible, Sendable {
  case bridge, ptp

  var testDescription: String { rawValue }

  /// A dual-stack, masqueraded network with default routes and leases in the lab.
  func network(in lab: PluginLab, _ keys: JSONObject = [:]) -> TestNetwork {
    network(in: lab, ipam: lab.hostLocal("10.1.2.0/24", "fd00:1::/64", keys: Self.routes))
      .with(keys)
  }

  /// The same network with another IPAM plugin.
  func network(in lab: PluginLab, ipam: JSONValue?) -> TestNetwork {
    switch self {
    case .bridge:
      lab.network(
        "bridge", ["isGateway": true, "ipMasq": true, "macspoofchk": true], ipam: ipam)
    case .ptp: lab.network("ptp", ["ipMasq": true], ipam: ipam)
    }
  }

  private static var routes: JSONObject { ["routes": [["dst": "0.0.0.0/0"], ["dst": "::/0"]]] }
}

extension PluginLab {
  /// Whether the host and a pod reach each other by both families.
  func reaches(_ pod: Pod, _ addresses: [String] = ["10.1.2.2", "fd00:1::2"]) throws -> Bool {
    try addresses.allSatisfy { try Traffic.pings($0, from: host) }
  }

  /// Lets a plugin do GC; without pods it is sent no list.
  func collectGarbage(_ network: TestNetwork, keeping pods: [Pod]?) throws -> PluginOutcome {
    var network = network
    if let pods {
      network = network.with([
        "cni.dev/valid-attachments": .array(
          pods.map {
            ["containerID": .string($0.container), "ifname": .string($0.interface)]
          })
      ])
    }
    return try askNetwork("GC", network)
  }
}
