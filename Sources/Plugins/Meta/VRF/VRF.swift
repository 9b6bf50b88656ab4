internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Puts a container's interface into a VRF: a routing table that only its ports use.
///
/// So interfaces of one container may have the same addresses on different networks.
public enum VRF: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "vrf"

  /// Upstream's.
  public static let supportedVersions = SpecVersion.all.filter { $0 >= .v0_3_1 }

  /// Makes the VRF if there is none, and the interface a port of it, with its addresses and routes.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try VRFConfiguration(request)
    let result = try previousResult(request)
    let worlds = try HostAndContainer(for: request)
    let lock = try worlds.lockContainer()
    var rollback = Rollback()

    let port = try VRFPort(try request.attachment.interface, in: worlds)
    let (device, isNew) = try VRFDevice.ensure(settings, in: worlds)
    if isNew { rollback.undo { try worlds.container.removeLink(.index(device.index)) } }
    rollback.undo { try port.move(to: nil, in: worlds) }
    try port.move(to: device, in: worlds)

    rollback.commit()
    _ = consume lock
    return result
  }

  /// Takes the interface out of the VRF, and the VRF away once nothing is in it.
  ///
  /// Needs no previous result. What is gone already is as good as removed.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    let settings = try VRFConfiguration(request)
    guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else { return }
    let lock = try worlds.lockContainer()
    guard let device = try VRFDevice.find(settings.name, in: worlds) else { return }
    var failures = Failures()
    failures.attempt("take the interface out of \(device.link.name)") { () throws(ProtocolError) in
      try device.release(try request.attachment.interface, in: worlds)
    }
    failures.attempt("remove \(device.link.name)") { () throws(ProtocolError) in
      try device.removeIfUnused(in: worlds)
    }
    _ = consume lock
    try failures.report()
  }

  /// Looks whether the interface is in the VRF, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names what is different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try VRFConfiguration(request)
    _ = try previousResult(request)
    let interface = try request.attachment.interface
    let worlds = try HostAndContainer(for: request)
    let device = try VRFDevice.find(settings.name, in: worlds)
    guard let device, try device.has(interface, in: worlds) else {
      throw ProtocolError(
        .internalFailure, "failed to find \(interface) associated to vrf \(settings.name)",
        details: "run DEL and ADD again")
    }
    try device.check(settings.table)
    guard device.link.isUp else {
      throw ProtocolError(.internalFailure, "vrf: \(settings.name) is down")
    }
  }

  /// Puts the interface back into the VRF, which is made anew if it is gone, and switches it on.
  ///
  /// - Throws: `ProtocolError` when the interface is a port of something else by now.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try VRFConfiguration(request)
    let interface = try request.attachment.interface
    let worlds = try HostAndContainer(for: request)
    let device = try VRFDevice.find(settings.name, in: worlds)
    if let device, try device.has(interface, in: worlds) {
      try device.check(settings.table)
    } else {
      _ = try add(request)
    }
    try VRFDevice.find(settings.name, in: worlds)?.switchOn(in: worlds)
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, when the kernel knows no VRFs.
  public static func status(_ request: Request) throws(ProtocolError) {
    _ = try VRFConfiguration(request)
    let host = try HostAndContainer.hostSocket()
    do {
      try host.checkSupport(of: .vrf(RouteTable(rawValue: 1)))
    } catch {
      throw ProtocolError(
        .notReady, "cannot make VRFs: \(error)",
        details: "the kernel needs CONFIG_NET_VRF, its module vrf")
    }
  }

  private static func previousResult(_ request: Request) throws(ProtocolError) -> PluginResult {
    try request.resultBefore(orElse: "missing prevResult from earlier plugin")
  }
}
