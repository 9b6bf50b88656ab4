public import CNI
internal import Netlink
internal import RouteNetlink

/// Links of the host that say in their alias whose they are.
public enum SignedLinks {
  /// Takes away the links of a network whose attachments are not in the list of the valid ones.
  ///
  /// - Parameters:
  ///   - kind: only links of this kind, such as "veth".
  ///   - network: the network whose links are looked at.
  ///   - valid: the attachments to keep.
  /// - Throws: ``ProtocolError`` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    ofKind kind: String, in network: NetworkName, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let kept = Set(
      valid.map { valid in
        AttachmentNames(
          Attachment(network: network, container: valid.container, interface: valid.interface)
        ).alias
      })
    let prefix = AttachmentNames.aliasPrefix(of: network)
    let host = try HostAndContainer.hostSocket()
    let links: [Link]
    do {
      links = try host.links(kind: kind)
    } catch {
      throw ProtocolError(error)
    }
    var failures = Failures()
    for link in links {
      guard let alias = link.alias, alias.hasPrefix(prefix), !kept.contains(alias) else { continue }
      failures.attempt("delete \(link.name) of \(alias)") { () throws(ProtocolError) in
        try host.removeLink(.index(link.index))
      }
    }
    try failures.report()
  }
}
