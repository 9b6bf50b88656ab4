import Addressing
import CNI
import Digest
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// The bridge itself, which the first attachment makes and all others find.
enum BridgeDevice {
  /// Finds the bridge, or makes it, and sees to it that it fits, with its uplink if it is to have one.
  ///
  /// A bridge that is there keeps its MTU and its addresses, as upstream has it. It is switched on,
  /// and made to take frames for others or to tell VLANs apart where this is asked.
  ///
  /// - Throws: `ProtocolError` when the name belongs to something else, or the kernel refuses.
  static func ensure(
    _ settings: BridgeConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    guard let uplink = settings.uplink else { return try ensure(settings, like: nil, in: worlds) }
    return try Uplink.ensure(uplink, settings, in: worlds)
  }

  /// The same without an uplink; a new bridge takes hardware address and MTU of the link that is to be
  /// one.
  ///
  /// - Throws: `ProtocolError` as ``ensure(_:in:)`` does.
  static func ensure(
    _ settings: BridgeConfiguration, like uplink: Link?, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let step = "failed to create bridge \"\(settings.bridge)\""
    let bridge: Link
    do throws(NetlinkError) {
      bridge = try findOrCreate(settings, like: uplink, worlds.host)
    } catch  where error.isUnsupported && settings.vlans.needsFiltering {
      throw ProtocolError(
        .internalFailure, "\(step): \(error)",
        details: "the kernel lacks bridge VLAN filtering (CONFIG_BRIDGE_VLAN_FILTERING); "
          + "remove \"vlan\" and \"vlanTrunk\"")
    } catch {
      throw ProtocolError(error, step)
    }
    guard bridge.kind == "bridge" else {
      throw ProtocolError(
        .internalFailure, "\(step): \"\(settings.bridge)\" already exists but is not a bridge",
        details: "choose another name under \"bridge\"")
    }
    try refuseTooSmall(settings.mtu, for: bridge, worlds.host)
    if bridge.hearsRouters != false {
      InterfaceSetting.ignoreRouterAdvertisements(settings.bridge)
    }
    do {
      try fit(bridge, settings, worlds.host)
    } catch {
      throw ProtocolError(error, step)
    }
    return bridge
  }

  /// Asks whether ``ensure(_:in:)`` would succeed, and changes nothing.
  ///
  /// - Throws: `ProtocolError`, code 50.
  static func checkPossible(_ settings: BridgeConfiguration) throws(ProtocolError) {
    try VethAttachment.checkPossible()
    let host = try HostAndContainer.hostSocket()
    do {
      if let link = try host.findLink(named: settings.bridge) {
        guard link.kind == "bridge" else {
          throw NetlinkError(
            operation: "\"\(settings.bridge)\" already exists but is not a bridge", errno: .exists)
        }
      } else {
        try host.checkSupport(of: .bridge(BridgeSettings()))
      }
    } catch {
      throw ProtocolError(.notReady, "cannot make attachments: \(error)")
    }
    if let uplink = settings.uplink { try Uplink.checkPossible(uplink, settings, host) }
  }

  /// Refuses an MTU that would take IPv6 away from everybody on the bridge.
  ///
  /// A bridge follows its port of the smallest MTU, and below 1280 bytes the kernel removes its IPv6
  /// addresses at once. RFC 8200, section 5
  private static func refuseTooSmall(
    _ mtu: MTU?, for bridge: Link, _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    let least = MTU.leastForIPv6.bytes
    guard let mtu, mtu.bytes < least, bridge.mtu >= least else { return }
    let addresses: [AddressEntry]
    do {
      addresses = try host.addresses(ofLink: bridge.index)
    } catch {
      throw ProtocolError(error)
    }
    guard addresses.contains(where: { $0.address.family == .v6 && !$0.address.address.isLinkLocal })
    else { return }
    throw ProtocolError(
      .invalidConfiguration,
      "mtu: \(mtu.bytes) bytes are too few for IPv6, which "
        + "\"\(bridge.name)\" already carries",
      details: "a bridge takes the smallest MTU of its ports, and IPv6 needs \(least) bytes")
  }

  private static func findOrCreate(
    _ settings: BridgeConfiguration, like uplink: Link?, _ host: borrowing RouteSocket
  ) throws(NetlinkError) -> Link {
    if let bridge = try host.findLink(named: settings.bridge) { return bridge }
    let device = BridgeSettings(filtersVLANs: settings.vlans.needsFiltering ? true : nil)
    let new = NewLink(
      settings.bridge, .bridge(device), mtu: settings.mtu ?? uplink?.payload,
      hardwareAddress: uplink?.hardwareAddress ?? hardwareAddress(of: settings.bridge), flags: .up)
    do {
      let bridge = try host.createLinkAndRead(new)
      InterfaceSetting.skipDuplicateDetection(bridge.name)
      return bridge
    } catch  where error.isAlreadyThere {
      // The other first pod was faster.
      return try host.link(named: settings.bridge)
    }
  }

  private static func fit(
    _ bridge: Link, _ settings: BridgeConfiguration, _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    var change = LinkChange(.index(bridge.index))
    if !bridge.isUp { change.isUp = true }
    if settings.isPromiscuous && !bridge.flags.contains(.promiscuous) {
      change.isPromiscuous = true
    }
    if settings.vlans.needsFiltering && bridge.bridge?.filtersVLANs != true {
      change.bridge = BridgeSettings(filtersVLANs: true)
    }
    if change != LinkChange(.index(bridge.index)) { try host.changeLink(change) }
  }

  /// A hardware address that the bridge keeps, whichever ports come and go.
  ///
  /// Said when the bridge is made, so that it never follows the lowest of its ports. The machine
  /// takes part, since bridges of two machines may be joined to one network.
  private static func hardwareAddress(of bridge: InterfaceName) -> HardwareAddress? {
    do {
      // A machine without an ID has one for as long as it runs, and so do its bridges.
      let machine = try BootID.machine() ?? BootID.current()
      var hash = SHA512()
      hash.update("bridge \(bridge) of \(machine)".utf8)
      return .locallyAdministered(from: hash.finalize())
    } catch {
      // Without either the kernel makes one up.
      return nil
    }
  }
}
