import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing

@Suite("What IPv4 and IPv6 keep of a link", .needsRoot)
struct FamilySettingTests {
  private func setting(_ family: String, _ link: String, _ key: String) throws -> String {
    try Sysctl.read(["net", family, "conf", link, key])
  }

  @Test("is told in the same message as everything else")
  func announces() throws {
    let link = try InterfaceName("br0")
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(link, .bridge(BridgeSettings())))
      #expect(try setting("ipv4", "br0", "arp_notify") == "0")
      var change = LinkChange(.name(link))
      change.announcesAddresses = true
      change.isUp = true
      try socket.changeLink(change)
      #expect(try setting("ipv4", "br0", "arp_notify") == "1")
      #expect(try socket.link(named: link).isUp)
      change.announcesAddresses = false
      try socket.changeLink(change)
      #expect(try setting("ipv4", "br0", "arp_notify") == "0")
    }
  }

  @Test("includes whether it gets a link-local address", arguments: [true, false])
  func linkLocal(isWanted: Bool) throws {
    let names = (try InterfaceName("near0"), try InterfaceName("far0"))
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(names.0, .veth(peer: VethPeer(name: names.1))))
      var change = LinkChange(.name(names.0))
      change.hasLinkLocalAddress = isWanted
      try socket.changeLink(change)
      try socket.setLink(.name(names.0), up: true)
      try socket.setLink(.name(names.1), up: true)
      // The other end's shows that the kernel has been through with both.
      let ends = (try socket.link(named: names.0), try socket.link(named: names.1))
      let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
      let deadline = MonotonicTime.now + .seconds(60)
      _ = try socket.settledAddresses(ofLink: ends.1.index, heardBy: ear, until: deadline)
      #expect(try !socket.addresses(ofLink: ends.1.index, family: .v6).isEmpty)
      #expect(try socket.addresses(ofLink: ends.0.index, family: .v6).isEmpty == !isWanted)
    }
  }

  @Test("tells whether it hears routers", arguments: ["0", "1", "2"])
  func hearsRouters(mode: String) throws {
    let link = try InterfaceName("br0")
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(link, .bridge(BridgeSettings())))
      try Sysctl.write(["net", "ipv6", "conf", "br0", "accept_ra"], mode)
      #expect(try socket.link(named: link).hearsRouters == (mode != "0"))
    }
  }

  @Test("is nothing to IPv6 where frames are too short for it")
  func tooShort() throws {
    let link = try InterfaceName("br0")
    let mtu = try MTU(1279)
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try socket.createLink(NewLink(link, .bridge(BridgeSettings()), mtu: mtu))
      #expect(try socket.link(named: link).hearsRouters == nil)
      var change = LinkChange(.name(link))
      change.hasLinkLocalAddress = false
      var refusal: NetlinkError?
      do throws(NetlinkError) {
        try socket.changeLink(change)
      } catch {
        refusal = error
      }
      #expect(refusal?.isUnsupported == true)
    }
  }

  @Test("has forwarding for all links together", arguments: [IPFamily.v4, .v6])
  func forwarding(family: IPFamily) throws {
    let name =
      switch family {
      case .v4: ["net", "ipv4", "ip_forward"]
      case .v6: ["net", "ipv6", "conf", "all", "forwarding"]
      }
    try FreshNamespace.run {
      let socket = try RouteSocket()
      try Sysctl.write(name, "0")
      #expect(try !socket.isForwarding(family))
      try Sysctl.write(name, "1")
      #expect(try socket.isForwarding(family))
    }
  }
}
