internal import Addressing
public import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink

extension Bridge {
  /// Puts back what is missing between the pair and the world.
  ///
  /// That is the bridge, its addresses, the port, what the container's end has lost, and rules. What
  /// watches over the pair comes before the pair.
  ///
  /// - Throws: `ProtocolError`; a pair that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try BridgeConfiguration(request)
    let attachment = try request.attachment
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)
    let bridge = try BridgeDevice.ensure(settings, in: worlds)
    if settings.leavesContainerAlone { return }
    let inside = try previous.link(
      try previous.containerInterface(), worlds.container, "container")
    let outside = try worlds.requiredOuterEnd(of: inside)

    if let ipam = settings.ipamType { try request.delegateRepair(to: ipam) }
    if settings.checksSpoofing {
      try SpoofCheck.onBridge.add(
        for: attachment, settings.guarded(outside, inside, as: previous.result.addresses))
    }
    if settings.masquerades != nil && settings.ipamType != nil {
      try settings.egress.requireLocal(in: worlds)
      try Masquerade.repair(
        for: attachment, addresses: previous.result.addresses.map(\.address), settings.masquerades,
        leavingAs: settings.egress)
    }
    try rejoin(outside, to: bridge, settings, in: worlds)
    var result = previous.result
    try Gateway.serve(&result, settings, on: bridge, in: worlds)
    try previous.restoreAddressesAndRoutes(
      of: inside,
      .init(
        detectsDuplicates: settings.detectsDuplicates, ignoresRouters: settings.isGateway),
      in: worlds)
    AddressAnnouncement.send(result.addresses, from: inside, in: worlds)
  }

  /// Makes the host's end a port again, switched on and behaving as the network asks.
  private static func rejoin(
    _ port: Link, to bridge: Link, _ settings: BridgeConfiguration,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let isPort = port.masterIndex == bridge.index
    do throws(NetlinkError) {
      if !isPort {
        var change = LinkChange(.index(port.index))
        change.master = bridge.index
        try worlds.host.changeLink(change)
      }
      var change = LinkChange(.index(port.index))
      change.bridgePort = BridgePortSettings(
        isHairpin: settings.isHairpin, isIsolated: settings.isIsolated)
      change.isUp = true
      try worlds.host.changeLink(change)
    } catch {
      throw ProtocolError(error, "failed to join \"\(port.name)\" to \"\(bridge.name)\"")
    }
    if !isPort { try BridgePort.join(settings.vlans, port, in: worlds) }
  }
}
