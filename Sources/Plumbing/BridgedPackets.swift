public import Addressing
internal import Linux

/// Whether packets from one port of a bridge to another pass the packet filter, as routed ones do.
///
/// Kernel module: `br_netfilter`.
public enum BridgedPackets {
  /// They do, in both families.
  public static var passFilter: Bool { IPFamily.allCases.allSatisfy(passFilter(of:)) }

  /// Those of a family do. `net.bridge.bridge-nf-call-iptables`, `-ip6tables`
  public static func passFilter(of family: IPFamily) -> Bool {
    let name = family == .v4 ? "bridge-nf-call-iptables" : "bridge-nf-call-ip6tables"
    do {
      return try Sysctl.read(["net", "bridge", name]) == "1"
    } catch {
      // No such setting: the module is not there.
      return false
    }
  }

  /// What the operator can do about it.
  public static var remedy: String {
    "load br_netfilter and set net.bridge.bridge-nf-call-iptables and -ip6tables to 1"
  }
}
