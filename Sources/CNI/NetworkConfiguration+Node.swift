internal import JSON
package import NodeFiles

extension NetworkConfiguration {
  /// What this node is in the flat network of its cluster, for configurations that say "node".
  ///
  /// Read from the file that `ipam.subnetFile` names, or else from the usual one.
  ///
  /// - Returns: what `cnictl node apply` has written.
  /// - Throws: `ProtocolError`; code 11 if there is no such file yet.
  package func nodeSubnets() throws(ProtocolError) -> NodeSubnets {
    var path = NodeSubnets.path
    if let ipam = try ipam, let field = ipam.field("subnetFile") {
      guard let text = field.value.textValue, text.utf8.first == UInt8(ascii: "/"),
        !text.utf8.contains(0)
      else {
        throw ProtocolError(
          .invalidConfiguration, "\(field.path): an absolute path is expected",
          details: "leave it out for \(NodeSubnets.path)")
      }
      path = text
    }
    do throws(NodeFileError) {
      if let subnets = try NodeSubnets(reading: path) { return subnets }
    } catch {
      throw ProtocolError(
        .tryAgainLater, "this node's subnets cannot be read: \(error)",
        details: "run \"cnictl node apply\", which writes the file anew")
    }
    throw ProtocolError(
      .tryAgainLater, "this node has no subnet yet: there is no \(path)",
      details: "run \"cnictl node apply\" (or systemctl start swift-cni-node.service)")
  }
}
