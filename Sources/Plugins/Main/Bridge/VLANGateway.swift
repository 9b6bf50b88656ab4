import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

/// The host's own leg in a VLAN of the bridge: a pair of links whose far end is a port.
enum VLANGateway {
  /// The name of the near end: the bridge's, a dot and the number.
  ///
  /// - Throws: `ProtocolError` when that is too long for the name of an interface.
  static func name(_ vlan: UInt16, of bridge: InterfaceName) throws(ProtocolError) -> InterfaceName
  {
    do {
      return try InterfaceName("\(bridge).\(vlan)")
    } catch {
      throw ProtocolError(
        .invalidConfiguration,
        "no interface for the gateway of VLAN \(vlan) can be named \"\(bridge).\(vlan)\": \(error)",
        details: "choose a shorter name under \"bridge\"")
    }
  }

  /// Finds the pair, or makes it, and gives its near end.
  ///
  /// - Throws: `ProtocolError` when the kernel refuses.
  static func ensure(
    _ vlan: UInt16, of bridge: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let near = try name(vlan, of: bridge.name)
    do throws(NetlinkError) {
      if let link = try worlds.host.findLink(named: near),
        try !isHalfMade(near, worlds.host)
      {
        return link
      }
    } catch {
      throw ProtocolError(error)
    }
    let far = farName(near)
    do throws(NetlinkError) {
      try create(near, far, bridge, worlds.host)
      InterfaceSetting.ignoreRouterAdvertisements(near)
      InterfaceSetting.ignoreRouterAdvertisements(far)
      var change = LinkChange(.name(far))
      change.master = bridge.index
      change.isUp = true
      try worlds.host.changeLink(change)
    } catch {
      throw ProtocolError(error, "failed to make the gateway \"\(near)\"")
    }
    return try join(vlan, near, far, in: worlds)
  }

  private static func join(
    _ vlan: UInt16, _ near: InterfaceName, _ far: InterfaceName,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let ends: (near: Link, far: Link)
    do throws(NetlinkError) {
      ends = (try worlds.host.link(named: near), try worlds.host.link(named: far))
    } catch {
      throw ProtocolError(error)
    }
    try BridgePort.join(VLANSettings(access: vlan), ends.far, in: worlds)
    return ends.near
  }

  /// Makes the pair with both ends on the host; that another first pod was faster is no error.
  private static func create(
    _ near: InterfaceName, _ far: InterfaceName, _ bridge: Link,
    _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    let peer = VethPeer(name: far, mtu: bridge.payload)
    do {
      try host.createLink(NewLink(near, .veth(peer: peer), mtu: bridge.payload, flags: .up))
    } catch  where error.isAlreadyThere {
      // What follows can be said twice.
    }
  }

  /// Whether somebody made our pair and did not come to the end of it.
  private static func isHalfMade(
    _ near: InterfaceName, _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> Bool {
    // A pair that upstream made has another name at its far end, and is left as it is.
    guard let far = try host.findLink(named: farName(near)) else { return false }
    return far.masterIndex == nil || !far.isUp
  }

  private static func farName(_ near: InterfaceName) -> InterfaceName {
    AttachmentNames.hostInterface(for: near)
  }
}

extension Link {
  /// Its MTU, if it is one that can be given to another link.
  var payload: MTU? {
    do {
      return try MTU(mtu)
    } catch {
      // The kernel's default then.
      return nil
    }
  }
}
