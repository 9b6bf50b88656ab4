internal import Addressing
public import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink

extension Bridge {
  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try BridgeConfiguration(request)
    if let ipam = settings.ipamType { try request.delegateCheck(to: ipam) }
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)

    let bridge = try checkBridge(settings, previous, in: worlds)
    if settings.leavesContainerAlone { return }
    let inside = try previous.link(
      try previous.containerInterface(), worlds.container, "container")
    let outside = try checkPair(inside, bridge, previous, in: worlds)
    try checkPort(outside, settings)
    try Gateway.check(previous.result, settings, on: bridge, in: worlds)
    try previous.checkAddressesAndRoutes(of: inside, in: worlds)

    let attachment = try request.attachment
    if settings.checksSpoofing {
      try SpoofCheck.onBridge.check(
        for: attachment, settings.guarded(outside, inside, as: previous.result.addresses))
    }
    if settings.masquerades != nil && settings.ipamType != nil {
      try Masquerade.check(
        for: attachment, addresses: previous.result.addresses.map(\.address), settings.masquerades,
        leavingAs: settings.egress)
    }
  }

  private static func checkBridge(
    _ settings: BridgeConfiguration, _ previous: PreviousResult,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let name = settings.bridge.text
    guard let named = previous.result.interfaces.first(where: { $0.name == name }) else {
      throw fault("CNI created bridge \(name) in host namespace was not found")
    }
    guard named.sandbox.isEmpty else {
      throw fault("Interface \(name) should not be in sandbox")
    }
    let bridge = try previous.link(named, worlds.host, "bridge")
    guard bridge.kind == "bridge" else {
      throw fault("Interface \(name) does not have link type of bridge")
    }
    guard bridge.isUp else { throw fault("Interface \(name) is down") }
    if settings.isPromiscuous && !bridge.flags.contains(.promiscuous) {
      throw fault(
        "Bridge interface \(name) configured Promisc Mode true doesn't match current state: false")
    }
    if let uplink = settings.uplink { try Uplink.check(uplink, bridge, worlds.host) }
    return bridge
  }

  /// Whether the container's interface still is the inner end of a port of the bridge.
  private static func checkPair(
    _ inside: Link, _ bridge: Link, _ previous: PreviousResult,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    guard inside.kind == "veth" else {
      throw fault("Error: Container interface \(inside.name) not of type veth")
    }
    guard inside.isUp else { throw fault("Interface \(inside.name) is down") }
    let outside: Link?
    do {
      outside = try worlds.outerEnd(of: inside)
    } catch {
      throw ProtocolError(error)
    }
    guard let outside, outside.masterIndex == bridge.index else {
      throw fault("CNI veth created for bridge \(bridge.name) was not found")
    }
    guard previous.hostInterfaces.contains(where: { $0.name == outside.name.text }) else {
      throw fault("CNI veth created for bridge \(bridge.name) was not found in prevResult")
    }
    guard
      previous.hostInterfaces.contains(where: {
        $0.name == outside.name.text
          && ($0.hardwareAddressText.isEmpty || $0.hardwareAddress == outside.hardwareAddress)
      })
    else {
      throw fault(
        "Interface \(outside.name) Mac doesn't match: "
          + "\(outside.hardwareAddress?.description ?? "none") not found")
    }
    return outside
  }

  /// Whether the port is on and still behaves as the network asks.
  private static func checkPort(
    _ port: Link, _ settings: BridgeConfiguration
  ) throws(ProtocolError) {
    guard port.isUp else { throw fault("Interface \(port.name) is down") }
    let wishes = [
      ("hairpinMode", settings.isHairpin, port.bridgePort?.isHairpin),
      ("portIsolation", settings.isIsolated, port.bridgePort?.isIsolated),
    ]
    for (key, wanted, actual) in wishes where wanted != actual ?? false {
      throw fault(
        "Interface \(port.name) configured \(key) \(wanted) doesn't match current state: "
          + "\(actual ?? false)")
    }
  }

  private static func fault(_ message: String) -> ProtocolError {
    ProtocolError(.internalFailure, message)
  }
}
