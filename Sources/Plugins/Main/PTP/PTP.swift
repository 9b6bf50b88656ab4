internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Joins each container to the host by a pair of links of its own, with routes instead of a bridge.
///
/// Containers of one network reach each other through the host, which sees every packet.
public enum PTP: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "ptp"

  /// Makes the attachment.
  ///
  /// Takes back everything it has done if a step fails, but for forwarding, which others may use.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try PTPConfiguration(request)
    let attachment = try request.attachment
    let worlds = try HostAndContainer(for: request)
    var rollback = Rollback()

    let pair = try VethPair(for: attachment, .init(mtu: settings.mtu), in: worlds)
    rollback.undo { try pair.remove(in: worlds) }
    request.step("\(pair.host.name) is the host's end")

    if settings.checksSources {
      rollback.undo { try SpoofCheck.routed.remove(for: attachment) }
      if try request.configuration.ipamMayUseLink {
        try SpoofCheck.routed.add(for: attachment, guarded(pair.host, pair.container, as: []))
      }
    }
    var result = PluginResult()
    try pair.open(for: request, leasingFrom: settings.ipamType, &rollback, in: worlds) {
      (lease) throws(ProtocolError) in
      result = try joined(lease, pair, request)
      if settings.checksSources {
        try SpoofCheck.routed.add(
          for: attachment, guarded(pair.host, pair.container, as: result.addresses))
      }
      try ContainerInterface.configure(
        pair.container, at: 1, as: result,
        .init(
          ignoresRouters: true, hasSubnetRoutes: false,
          firstRoutes: HostRoutes.inside(result.addresses, through: pair.container)),
        in: worlds)
      return result.addresses
    }
    request.step("the pod has its addresses and routes")
    try HostRoutes.add(result.addresses, through: pair.host, in: worlds)
    try Forwarding.enable(for: Set(result.addresses.map(\.address.family)), in: worlds)
    request.step("the host has routes to the pod")

    if settings.masquerades != nil {
      try settings.egress.requireLocal(in: worlds)
      try Masquerade.add(
        for: attachment, addresses: result.addresses.map(\.address), settings.masquerades,
        leavingAs: settings.egress)
      rollback.undo { try Masquerade.remove(for: attachment) }
      request.step("the pod is masqueraded")
    }
    try pair.waitUntilUp(for: result.addresses, in: worlds)
    try ContainerInterface.waitUntilAnswering(result.addresses, in: worlds)

    result.dns = try request.configuration.resolverSettings(insteadOf: result.dns)
    rollback.commit()
    return result
  }

  /// Removes the attachment; what is gone already is as good as removed.
  ///
  /// Needs neither the namespace nor a previous result.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    var failures = Failures()
    VethAttachment.delete(request, &failures) { filter, failures in
      failures.attempt("remove the spoof check") { () throws(ProtocolError) in
        try SpoofCheck.routed.remove(for: try request.attachment, in: filter)
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
      try SpoofCheck.routed.collectGarbage(network: request.configuration.name, keeping: valid)
    }
    AddressRelease.ofGarbage(request, &failures)
    try failures.report()
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try PTPConfiguration(request)
    try request.delegateCheck(to: settings.ipamType)
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)

    let named = try previous.containerInterface()
    let inside = try previous.link(named, worlds.container, "container")
    guard inside.kind == "veth" else {
      throw ProtocolError(
        .internalFailure, "Error: Container interface \(inside.name) not of type veth/p2p")
    }
    guard inside.isUp else {
      throw ProtocolError(.internalFailure, "ptp: Interface \(inside.name) is down")
    }
    try previous.checkAddressesAndRoutes(of: inside, in: worlds)
    let outside = try HostRoutes.check(previous.result.addresses, through: inside, in: worlds)
    if settings.checksSources {
      try SpoofCheck.routed.check(
        for: try request.attachment, guarded(outside, inside, as: previous.result.addresses))
    }
    if settings.masquerades != nil {
      try Masquerade.check(
        for: try request.attachment, addresses: previous.result.addresses.map(\.address),
        settings.masquerades,
        leavingAs: settings.egress)
    }
  }

  /// Puts back what is missing around the pair: addresses and routes on both sides, and rules.
  ///
  /// - Throws: `ProtocolError`; a pair that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try PTPConfiguration(request)
    let previous = try PreviousResult(request)
    let addresses = previous.result.addresses
    let worlds = try HostAndContainer(for: request)
    let inside = try previous.link(
      try previous.containerInterface(), worlds.container, "container")

    try request.delegateRepair(to: settings.ipamType)
    if settings.masquerades != nil {
      try settings.egress.requireLocal(in: worlds)
      try Masquerade.repair(
        for: try request.attachment, addresses: addresses.map(\.address), settings.masquerades,
        leavingAs: settings.egress)
    }
    let outside = try worlds.requiredOuterEnd(of: inside)
    if settings.checksSources {
      try SpoofCheck.routed.add(
        for: try request.attachment, guarded(outside, inside, as: addresses))
    }
    try HostRoutes.restore(addresses, through: outside, in: worlds)
    try Forwarding.enable(for: Set(addresses.map(\.address.family)), in: worlds)
    try previous.restoreAddressesAndRoutes(
      of: inside,
      .init(
        ignoresRouters: true, hasSubnetRoutes: false,
        firstRoutes: HostRoutes.inside(addresses, through: inside)),
      in: worlds)
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try PTPConfiguration(request)
    try VethAttachment.checkPossible()
    try Forwarding.checkPossible(for: [.v4])
    if settings.masquerades != nil { try Masquerade.checkPossible() }
    try request.delegateStatus(to: settings.ipamType)
  }

  /// What may come in by one link, sent by another that has been given these addresses.
  private static func guarded(
    _ port: Link, _ inside: Link, as addresses: [ResultAddress]
  ) -> GuardedPort {
    GuardedPort(
      port.name, inside.hardwareAddress ?? .zero, sources: addresses.map(\.address.address))
  }

  /// What the IPAM plugin has given, with the pair and its place in it.
  private static func joined(
    _ lease: PluginResult, _ pair: VethPair, _ request: Request
  ) throws(ProtocolError) -> PluginResult {
    var result = lease
    guard !result.addresses.isEmpty else {
      throw ProtocolError(.internalFailure, "IPAM plugin returned missing IP config")
    }
    result.interfaces = [
      ResultInterface(pair.host),
      ResultInterface(pair.container, sandbox: request.namespacePath ?? ""),
    ]
    for place in result.addresses.indices {
      guard result.addresses[place].gateway != nil else {
        throw ProtocolError(
          .invalidConfiguration,
          "IPAM plugin gave no gateway for \(result.addresses[place].address)",
          details: "ptp puts the gateway's address on the host: set \"gateway\" in \"ipam\"")
      }
      result.addresses[place].interface = 1
    }
    return result
  }
}
