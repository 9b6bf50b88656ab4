internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Joins containers to a bridge of the host: one link-layer network for all of them.
///
/// The container gets one end of a pair of links, the other one is a port of the bridge. With
/// addresses from an IPAM plugin the bridge can be their gateway; without, the network is one of
/// layer 2 alone.
public enum Bridge: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "bridge"

  /// Makes the attachment, and the bridge if it is the first one.
  ///
  /// Takes back everything it has done if a step fails, but for the bridge with its uplink and for
  /// forwarding, which others may already use.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try BridgeConfiguration(request)
    let attachment = try request.attachment
    let worlds = try HostAndContainer(for: request)
    var rollback = Rollback()

    let bridge = try BridgeDevice.ensure(settings, in: worlds)
    request.step("\(bridge.name) is there")
    let pair = try VethPair(for: attachment, settings.pair(on: bridge), in: worlds)
    rollback.undo { try pair.remove(in: worlds) }
    try BridgePort.join(settings.vlans, pair.host, in: worlds)
    request.step("\(pair.host.name) is its port")

    if settings.checksSpoofing {
      rollback.undo { try SpoofCheck.onBridge.remove(for: attachment) }
      // Where addresses are known before the pair opens there is one change to make, not two.
      let opensEarly = try request.configuration.ipamMayUseLink
      if opensEarly || !settings.checksSources {
        try SpoofCheck.onBridge.add(for: attachment, settings.guarded(pair, as: []))
      }
    }

    var result = PluginResult(interfaces: interfaces(bridge, pair, request))
    if let ipam = settings.ipamType {
      try pair.open(for: request, leasingFrom: ipam, &rollback, in: worlds) {
        (lease) throws(ProtocolError) in
        try Gateway.join(lease, to: &result, settings)
        if settings.checksSources {
          try SpoofCheck.onBridge.add(
            for: attachment, settings.guarded(pair, as: result.addresses))
        }
        try ContainerInterface.configure(
          pair.container, at: 2, as: result,
          .init(
            detectsDuplicates: settings.detectsDuplicates, ignoresRouters: settings.isGateway),
          in: worlds)
        return result.addresses
      }
      request.step("the pod has its addresses and routes")
      if settings.detectsDuplicates {
        try ContainerInterface.waitUntilUnique(result.addresses, of: pair.container, in: worlds)
      }
      try Gateway.serve(&result, settings, on: bridge, in: worlds)
      request.step("\(bridge.name) serves the pod's gateways")

      if settings.masquerades != nil {
        try settings.egress.requireLocal(in: worlds)
        try Masquerade.add(
          for: attachment, addresses: result.addresses.map(\.address), settings.masquerades,
          leavingAs: settings.egress)
        rollback.undo { try Masquerade.remove(for: attachment) }
        request.step("the pod is masqueraded")
      }
    } else {
      if !settings.leavesContainerAlone { try pair.switchOn(in: worlds) }
      try pair.open(for: result.addresses, in: worlds)
    }
    if !settings.leavesContainerAlone {
      try pair.waitUntilUp(for: result.addresses, in: worlds)
      try ContainerInterface.waitUntilAnswering(result.addresses, in: worlds)
      AddressAnnouncement.send(result.addresses, from: pair.container, in: worlds)
    }

    result.dns = try request.configuration.resolverSettings(insteadOf: result.dns)
    rollback.commit()
    return result
  }

  /// Removes the attachment; what is gone already is as good as removed.
  ///
  /// Needs neither the namespace nor a previous result. The bridge stays, with its uplink.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    var failures = Failures()
    VethAttachment.delete(request, &failures) { filter, failures in
      failures.attempt("remove the spoof check") { () throws(ProtocolError) in
        try SpoofCheck.onBridge.remove(for: try request.attachment, in: filter)
      }
    }
    AddressRelease.afterInterface(request, &failures)
    try failures.report()
  }

  /// Removes what belongs to attachments of this network that are no more.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    var failures = Failures()
    VethAttachment.collectGarbage(request, keeping: valid, &failures)
    failures.attempt("remove left-over spoof checks") { () throws(ProtocolError) in
      try SpoofCheck.onBridge.collectGarbage(network: request.configuration.name, keeping: valid)
    }
    AddressRelease.ofGarbage(request, &failures)
    try failures.report()
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try BridgeConfiguration(request)
    try BridgeDevice.checkPossible(settings)
    if settings.isGateway { try Forwarding.checkPossible(for: [.v4]) }
    if settings.masquerades != nil { try Masquerade.checkPossible() }
    if let ipam = settings.ipamType { try request.delegateStatus(to: ipam) }
  }

  private static func interfaces(
    _ bridge: Link, _ pair: VethPair, _ request: Request
  ) -> [ResultInterface] {
    [
      ResultInterface(bridge), ResultInterface(pair.host),
      ResultInterface(pair.container, sandbox: request.namespacePath ?? ""),
    ]
  }
}

extension BridgeConfiguration {
  /// What may come in by a pair's outer end.
  fileprivate func guarded(_ pair: VethPair, as addresses: [ResultAddress]) -> GuardedPort {
    guarded(pair.host, pair.container, as: addresses)
  }

  /// What may come in by one link, sent by another that has been given these addresses.
  func guarded(_ port: Link, _ inside: Link, as addresses: [ResultAddress]) -> GuardedPort {
    let own = inside.hardwareAddress ?? .zero
    guard checksSources else { return GuardedPort(port.name, own) }
    return GuardedPort(port.name, own, sources: addresses.map(\.address.address))
  }

  /// What the pair is made with.
  func pair(on bridge: Link) -> VethPair.Settings {
    // A new port does neither; what is not asked for need not be said.
    let port = BridgePortSettings(
      isHairpin: isHairpin ? true : nil, isIsolated: isIsolated ? true : nil)
    return VethPair.Settings(
      mtu: mtu ?? (uplink == nil ? nil : bridge.payload), hardwareAddress: hardwareAddress,
      bridge: bridge,
      port: isHairpin || isIsolated ? port : nil)
  }
}
