internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Limits how fast a container's packets go in and out.
///
/// Chained behind a plugin that joins the container by a pair of links. What goes in is held back at
/// the host's end of the pair; what comes out is redirected from there into a link of its own and
/// held back on that.
public enum Bandwidth: Plugin {
  /// `bandwidth`.
  public static let name = "bandwidth"

  /// Upstream's: there is no chain before 0.3.0.
  public static let supportedVersions = SpecVersion.all.filter { $0 >= .v0_3_0 }

  /// Puts the limits in place, and passes the result on with the link that was made.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try BandwidthConfiguration(request)
    var result = try earlierResult(of: request, "must be called as chained plugin")
    guard !settings.isEmpty else { return result }
    if let device = try limit(result, settings, request) {
      result.interfaces.append(ResultInterface(device.link))
    }
    return result
  }

  /// Puts the limits in place, and takes back what it has done if a step fails.
  ///
  /// - Returns: the link on which what the container sends waits, if that is limited.
  private static func limit(
    _ result: PluginResult, _ settings: BandwidthConfiguration, _ request: Request
  ) throws(ProtocolError) -> ShapingDevice? {
    let worlds = try HostAndContainer(for: request)
    let host = try hostEnd(of: request, result, in: worlds)
    var rollback = Rollback()
    var made: ShapingDevice?
    if let ingress = settings.ingress {
      warn(of: ingress, host, request)
      try ingress.apply(to: host, "create qdisc", in: worlds)
      rollback.undo { try ingress.remove(from: host, in: worlds) }
    }
    if let egress = settings.egress {
      warn(of: egress, host, request)
      let device = try ShapingDevice(for: try request.attachment, behind: host, in: worlds)
      rollback.undo { try device.remove(in: worlds) }
      // Before the link is on, since to change a working link's queue the kernel waits for packets.
      try egress.apply(to: device.link, "create ifb qdisc", in: worlds)
      try device.capture(from: host, in: worlds)
      made = device
    }
    rollback.commit()
    return made
  }

  /// Makes the limits anew if something of them is missing or different.
  ///
  /// - Throws: `ProtocolError`.
  public static func repair(_ request: Request) throws(ProtocolError) {
    do throws(ProtocolError) {
      return try check(request)
    } catch {
      request.log("made anew: \(error.message)")
    }
    let settings = try BandwidthConfiguration(request)
    let result = try earlierResult(of: request, "must be called as a chained plugin")
    let worlds = try HostAndContainer(for: request)
    let host = try hostEnd(of: request, result, in: worlds)
    try settings.ingress?.remove(from: host, in: worlds)
    try ShapingDevice.release(host, in: worlds)
    if let old = try ShapingDevice.find(try request.attachment, told(request), on: worlds.host) {
      do {
        // Waited for, since its name is taken again.
        try worlds.host.deleteLink(.index(old.index))
      } catch {
        throw ProtocolError(error, "failed to take away \(old.name)")
      }
    }
    _ = try limit(result, settings, request)
  }

  /// Takes the container's link away; what is gone already is as good as taken away.
  ///
  /// Needs neither the namespace nor a previous result, and no key but the network's name. The
  /// limits on the host's end of the pair go with the pair.
  ///
  /// - Throws: `ProtocolError` when it cannot be told whether there is a link, or when the kernel
  ///   refuses.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let host = try HostAndContainer.hostSocket()
    guard let link = try ShapingDevice.find(try request.attachment, told(request), on: host) else {
      return
    }
    try host.removeLink(.index(link.index))
  }

  /// Takes the links away whose attachments are no more, as far as they say in their alias whose
  /// they are.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try SignedLinks.collectGarbage(
      ofKind: LinkKind.intermediateQueueName, in: request.configuration.name, keeping: valid
    ) { $0.shapingDevices }
  }

  /// Looks whether the limits are in place, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try BandwidthConfiguration(request)
    let result = try earlierResult(of: request, "must be called as a chained plugin")
    guard !settings.isEmpty else { return }
    let worlds = try HostAndContainer(for: request)
    let host = try hostEnd(of: request, result, in: worlds)

    if let ingress = settings.ingress { try ingress.check(host, in: worlds) }
    if let egress = settings.egress {
      let found = try ShapingDevice.find(try request.attachment, told(request), on: worlds.host)
      guard let device = found else {
        throw ProtocolError(
          .internalFailure, "get ifb device: Link not found", details: "run DEL and ADD again")
      }
      try egress.check(device, in: worlds)
      try ShapingDevice.check(device, behind: host, in: worlds)
    }
  }
}

extension Bandwidth {
  private static func earlierResult(
    of request: Request, _ refusal: String
  ) throws(ProtocolError) -> PluginResult {
    try request.resultBefore(
      orElse: refusal,
      details: "\"prevResult\" is missing: bandwidth stands behind bridge, ptp or the like in a "
        + "list of plugins")
  }

  /// The host's end of the pair whose other end is the container's interface.
  private static func hostEnd(
    of request: Request, _ result: PluginResult, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    guard !result.interfaces.isEmpty else { throw unjoined("no interfaces provided") }
    let name = try request.attachment.interface
    let ends: (inside: Link?, outside: Link?)
    do throws(NetlinkError) {
      let inside = try worlds.container.findLink(named: name)
      ends = (
        inside,
        try inside.flatMap { link throws(NetlinkError) in
          try worlds.outerEnd(of: link)
        }
      )
    } catch {
      throw ProtocolError(error)
    }
    guard let inside = ends.inside, inside.kind == "veth", let index = inside.peerIndex else {
      throw unjoined(
        "container interface \(name) has no veth peer: "
          + (ends.inside.map { "it is of kind \($0.kind ?? "unknown")" } ?? "Link not found"))
    }
    guard let outside = ends.outside else {
      throw unjoined("veth peer with index \(index) is not in host ns")
    }
    guard
      result.interfaces.contains(where: { $0.sandbox.isEmpty && $0.name == outside.name.text })
    else { throw unjoined("no veth peer of container interface found in host ns") }
    return outside
  }

  private static func unjoined(_ message: String) -> ProtocolError {
    ProtocolError(
      .internalFailure, message,
      details: "bandwidth limits containers that a pair of links joins to the host, and that the "
        + "result of the plugins before it names")
  }

  /// The host's interfaces by the result of the ADD; `nil` when it did not come along or is damaged.
  private static func told(_ request: Request) -> Set<String>? {
    do throws(ProtocolError) {
      return Set(try PreviousResult(request).hostInterfaces.map(\.name))
    } catch {
      return nil
    }
  }

  /// Says that a burst is too small for the frames of a link: they would all be dropped.
  private static func warn(of shaper: TrafficShaper, _ host: Link, _ request: Request) {
    let frame = host.mtu + 14
    guard Int(shaper.limit.burst) < frame else { return }
    request.log(
      "\(shaper.direction)Burst of \(Int(shaper.limit.burst) * 8) bits is less than one frame of "
        + "\(host.name) (\(frame * 8) bits), so long frames are dropped")
  }
}
