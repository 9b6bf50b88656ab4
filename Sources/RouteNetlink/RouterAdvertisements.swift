public import Addressing
public import Linux
public import Netlink

/// What a host believes of routers that speak for themselves (RFC 4861, section 4.2).
///
/// One that begins to forward IPv6 is a router itself: the kernel takes no more advertisements in then,
/// and drops the default routes that it has from them, unless a link is told to go on
/// (`addrconf_fixup_forwarding`).
public enum RouterAdvertisements {
  /// Lets a link that takes them in go on doing so when the host forwards.
  ///
  /// Kernel name: `net.ipv6.conf.LINK.accept_ra`, 2 instead of 1.
  ///
  /// - Parameter link: a link of the thread's namespace.
  /// - Returns: whether the setting had to be changed, for a message: its name; nil if not.
  /// - Throws: ``SystemError``.
  public static func keepHearing(by link: InterfaceName) throws(SystemError) -> String? {
    let name = ["net", "ipv6", "conf", link.text, "accept_ra"]
    do throws(SystemError) {
      guard try Sysctl.read(name) == "1" else { return nil }
      try Sysctl.write(name, "2")
      return name.joined(separator: ".")
    } catch {
      // A link without IPv6 hears no routers.
      guard error.errno == .noEntry else { throw error }
      return nil
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// The links by which the host has a default route from a router's advertisements.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func linksOfRouters() throws(NetlinkError) -> Set<InterfaceName> {
    var names: Set<InterfaceName> = []
    for route in try routes(family: .v6, origin: .router) where route.destination.isEverything {
      guard let index = route.linkIndex else { continue }
      names.insert(try link(index: index).name)
    }
    return names
  }
}
