internal import Addressing
internal import CNI
internal import JSON
internal import Linux
internal import NodeFiles

/// Ranges that are not in the configuration but this node's own: `"subnet": "node"`.
enum NodeRanges {
  /// What stands in the place of a subnet.
  static let keyword = "node"

  /// One range set for each family, with all of the node's subnets of that family.
  ///
  /// - Throws: ``ProtocolError``; code 11 while the node has no subnet, or its tunnel is gone: a pod
  ///   would start and reach nobody.
  static func candidates(_ ipam: JSONFields, _ request: Request) throws(ProtocolError)
    -> [[JSONFields]]
  {
    for key in ["rangeStart", "rangeEnd", "gateway"] where ipam.value(key) != nil {
      throw ProtocolError(
        .invalidConfiguration, "\(ipam.path(of: key)) goes without \"subnet\": \"node\"",
        details: "the node's subnet decides where ranges begin and end")
    }
    let node = try request.configuration.nodeSubnets()
    for device in node.devices
    where request.command == .add || request.command == .status {
      guard try !isThere(device.text) else { continue }
      throw ProtocolError(
        .tryAgainLater, "the tunnel \(device) to the other nodes is gone",
        details: "run \"cnictl node apply\", which makes it again")
    }
    return [node.subnets.filter { $0.family == .v4 }, node.subnets.filter { $0.family == .v6 }]
      .filter { !$0.isEmpty }
      .map { subnets in
        subnets.map { JSONFields(["subnet": .string($0.description)], path: ipam.path) }
      }
  }

  private static func isThere(_ link: String) throws(ProtocolError) -> Bool {
    do throws(SystemError) {
      return try InterfaceIndex.find(link) != nil
    } catch {
      throw ProtocolError(error)
    }
  }
}
