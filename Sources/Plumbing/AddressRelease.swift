public import CNI

/// Giving addresses back to the IPAM plugin, for all plugins that had them from there.
///
/// An address outlives whatever uses it: it is given back after the interface and the rules about it
/// are gone. Only dhcp's goes before.
public enum AddressRelease {
  /// Gives an address back that goes back over the interface itself, while there is one.
  ///
  /// Only dhcp's does: its server is told from the container. What goes wrong here is told by
  /// ``afterInterface(_:_:)``, which asks again.
  public static func overInterface(_ request: Request) {
    do throws(ProtocolError) {
      if try request.configuration.ipamType == "dhcp" { try request.delegateDelete(to: "dhcp") }
    } catch {
      // Asked again when the interface is gone.
    }
  }

  /// Gives the addresses back of an interface that is gone.
  public static func afterInterface(_ request: Request, _ failures: inout Failures) {
    failures.attempt("release the addresses") { () throws(ProtocolError) in
      if let ipam = try request.configuration.ipamType { try request.delegateDelete(to: ipam) }
    }
  }

  /// Gives the addresses back of attachments that are no more.
  public static func ofGarbage(_ request: Request, _ failures: inout Failures) {
    failures.attempt("release left-over addresses") { () throws(ProtocolError) in
      if let ipam = try request.configuration.ipamType {
        try request.delegateGarbageCollection(to: ipam)
      }
    }
  }
}
