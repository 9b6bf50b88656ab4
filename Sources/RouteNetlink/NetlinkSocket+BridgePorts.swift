public import Netlink

extension Message {
  /// Changes how the port of a bridge works.
  ///
  /// The kernel passes over these settings in the message that makes a link, so they follow in one
  /// of their own, in the same send if need be. Refused with `EOPNOTSUPP` if the link is no port.
  ///
  /// Kernel name: `IFLA_INFO_SLAVE_DATA`.
  public static func changeBridgePort(_ link: LinkReference, _ settings: BridgePortSettings)
    -> Message
  {
    var change = LinkChange(link)
    change.bridgePort = settings
    return .changeLink(change)
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Changes how the port of a bridge works.
  ///
  /// - Throws: ``NetlinkError``; `isUnsupported` if the link is no port.
  public borrowing func changeBridgePort(_ link: LinkReference, _ settings: BridgePortSettings)
    throws(NetlinkError)
  {
    try exchange(.changeBridgePort(link, settings))
  }
}
