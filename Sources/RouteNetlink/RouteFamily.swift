internal import CLinux
public import Netlink

/// Links, addresses, routes, rules and neighbours of one network namespace.
///
/// Kernel name: `NETLINK_ROUTE`.
public enum RouteFamily: NetlinkFamily {
  /// Kernel name: `NETLINK_ROUTE`.
  public static let protocolNumber = NETLINK_ROUTE
  /// As it stands in error messages.
  public static let name = "route"
}

/// A socket for links, addresses and routes.
public typealias RouteSocket = NetlinkSocket<RouteFamily>
