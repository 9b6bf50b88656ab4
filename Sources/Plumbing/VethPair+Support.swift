internal import Addressing
internal import Linux
public import Netlink
public import RouteNetlink

extension VethPair {
  /// Asks whether the kernel would make a pair, and changes nothing.
  ///
  /// - Throws: `NetlinkError`; `EPERM` without the privilege, `EOPNOTSUPP` without the feature.
  public static func checkSupport(
    _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    try host.checkSupport(of: .veth(peer: VethPeer(name: .placeholder)))
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Asks whether the kernel would make a link of a kind, and changes nothing.
  ///
  /// It is asked for one with a hardware address that no link can have: a kernel that knows the kind
  /// objects to the address, or to the lack of a link to stand on; one that does not objects to the
  /// kind, and nothing is ever made. As for any link, the kernel loads the module of the kind.
  ///
  /// - Throws: `NetlinkError`; `EPERM` without the privilege, `EOPNOTSUPP` without the feature.
  public borrowing func checkSupport(of kind: LinkKind) throws(NetlinkError) {
    do {
      try createLink(NewLink(.placeholder, kind, hardwareAddress: .zero))
    } catch
      where error.cause == .refused
      && (error.errno == .addressNotAvailable || error.errno == .invalid)
    {
      // The kind is known.
    }
  }
}
