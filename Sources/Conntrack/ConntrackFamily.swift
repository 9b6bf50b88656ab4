public import Netlink

/// The kernel's memory of connections, as a netlink family.
///
/// Kernel name: `NETLINK_NETFILTER`, `NFNL_SUBSYS_CTNETLINK`.
public enum ConntrackFamily: NetlinkFamily {
  /// The protocol's number.
  public static var protocolNumber: Int32 { ConntrackNumber.netlinkProtocol }
  /// The family's name in error messages.
  public static var name: String { "conntrack" }
}
