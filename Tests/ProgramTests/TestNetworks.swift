import JSON

/// Networks to try plugins on: dual stack, with masquerading, leases in the host's store.
enum TestNetwork {
  /// A bridge that is the pods' gateway, with room for a thousand.
  static func bridge(on host: PluginHost, name: String = "pods") -> JSONObject {
    [
      "cniVersion": "1.0.0", "name": .string(name), "type": "bridge", "bridge": "test0",
      "isDefaultGateway": true, "ipMasq": true, "ipam": hostLocal(on: host),
    ]
  }

  /// A pair of links for each pod.
  static func pair(on host: PluginHost, name: String = "pairs") -> JSONObject {
    [
      "cniVersion": "1.0.0", "name": .string(name), "type": "ptp", "ipMasq": true,
      "ipam": hostLocal(on: host),
    ]
  }

  /// The network that containerd brings up first in every pod.
  static var loopback: JSONObject {
    ["cniVersion": "1.0.0", "name": "cni-loopback", "type": "loopback"]
  }

  private static func hostLocal(on host: PluginHost) -> JSONValue {
    [
      "type": "host-local", "dataDir": .string(host.store),
      "ranges": [[["subnet": "10.44.0.0/22"]], [["subnet": "fd00:44::/64"]]],
    ]
  }
}
