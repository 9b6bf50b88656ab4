/// One of the kernel's netlink protocols, told as a type.
///
/// A socket is generic over its family, so that a verb for links cannot be called on a socket that
/// speaks to the packet filter.
public protocol NetlinkFamily: SendableMetatype {
  /// The number that `socket(2)` takes as protocol, for example `NETLINK_ROUTE`.
  static var protocolNumber: Int32 { get }
  /// The family's name in error messages, for example "route".
  static var name: String { get }
}
