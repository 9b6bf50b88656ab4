public import CNI
internal import Netlink
public import RouteNetlink

extension ContainerLink {
  /// Asks whether the kernel would make links of a kind, and changes nothing.
  ///
  /// - Throws: ``ProtocolError``, code 50, that names the kind if it is missing.
  public static func checkPossible(_ kind: LinkKind) throws(ProtocolError) {
    let host = try HostAndContainer.hostSocket()
    do {
      try host.checkSupport(of: kind)
    } catch  where error.isUnsupported {
      throw ProtocolError(unsupported: kind)
    } catch {
      throw ProtocolError(.notReady, "cannot make attachments: \(error)")
    }
  }
}

extension ProtocolError {
  /// The kernel does not know a kind of link.
  public init(unsupported kind: LinkKind) {
    self.init(
      .notReady, "the kernel has no links of kind \"\(kind.name)\"",
      details: "load its module \"\(kind.name)\", or run a kernel that has it")
  }
}
