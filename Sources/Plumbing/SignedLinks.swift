public import Addressing
public import CNI
internal import Netlink
internal import RouteNetlink

/// Links of the host that say in their alias whose they are, or as yet in their group whose network's.
public enum SignedLinks {
  /// Takes away the links of a network whose attachments are not in the list of the valid ones.
  ///
  /// - Parameters:
  ///   - kind: only links of this kind, such as "veth".
  ///   - network: the network whose links are looked at.
  ///   - valid: the attachments to keep.
  ///   - names: the names that an attachment's link may have.
  /// - Throws: ``ProtocolError`` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    ofKind kind: String, in network: NetworkName, keeping valid: Set<ValidAttachment>,
    named names: (AttachmentNames) -> [InterfaceName]
  ) throws(ProtocolError) {
    let owners = valid.map { valid in
      AttachmentNames(
        Attachment(network: network, container: valid.container, interface: valid.interface))
    }
    let kept = Set(owners.map(\.alias))
    let keptNames = Set(owners.flatMap(names))
    let prefix = AttachmentNames.aliasPrefix(of: network)
    let group = AttachmentNames.unsignedGroup(of: network)
    let host = try HostAndContainer.hostSocket()
    let links: [Link]
    do {
      links = try host.links(kind: kind)
    } catch {
      throw ProtocolError(error)
    }
    var failures = Failures()
    for link in links {
      let isGarbage =
        if let alias = link.alias {
          alias.hasPrefix(prefix) && !kept.contains(alias)
        } else {
          link.group == group && !keptNames.contains(link.name)
        }
      guard isGarbage else { continue }
      failures.attempt("delete \(link.name) of \(link.alias ?? "an interrupted ADD")") {
        () throws(ProtocolError) in
        try host.removeLink(.index(link.index))
      }
    }
    try failures.report()
  }
}
