internal import Addressing
internal import CNIRuntime
internal import JSON

/// The network that is tried: one bridge, the families that this kernel has, masquerading on, and a
/// service.
enum TryNetwork {
  static let name = "try"
  static let bridge = "try0"

  /// The list, as it could stand in /etc/cni/net.d.
  ///
  /// - Parameters:
  ///   - families: which there are.
  ///   - directory: below which leases and the state of services lie.
  /// - Returns: its document.
  static func document(families: [IPFamily], below directory: String) -> JSONValue {
    let ranges: [JSONValue] = families.map { family in
      let subnet: JSONValue = family == .v4 ? "10.86.0.0/24" : "fd5c:86d1:2a4e:86::/64"
      return [["subnet": subnet]]
    }
    return [
      "cniVersion": "1.1.0",
      "name": .string(name),
      "plugins": [
        [
          "type": "bridge",
          "bridge": .string(bridge),
          "isDefaultGateway": true,
          "ipMasq": true,
          "ipam": [
            "type": "host-local",
            "ranges": .array(ranges),
            "dataDir": .string("\(directory)/networks"),
          ],
        ],
        TryService.plugin(TryService.paths(below: directory)),
      ],
    ]
  }

  static func list(families: [IPFamily], below directory: String) throws -> NetworkList {
    try NetworkList(
      parsing: JSONWriter.write(document(families: families, below: directory)))
  }
}
