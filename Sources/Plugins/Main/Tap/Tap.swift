internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Gives each container an interface whose other end is a program in it, such as a virtual machine.
public enum Tap: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "tap"

  /// Makes the attachment.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try TapConfiguration(request)
    let attachment = try request.attachment
    let worlds = try HostAndContainer(for: request)
    var rollback = Rollback()

    try TapLink.make(attachment.interface, settings, in: worlds)
    rollback.undo { try TapLink.remove(attachment, in: worlds) }
    let link = try TapLink.finish(attachment, settings, in: worlds)

    var result = PluginResult(interfaces: [
      ResultInterface(link, sandbox: request.namespacePath ?? "")
    ])
    if let ipam = settings.ipamType {
      let lease = try request.delegateAdd(to: ipam)
      rollback.undoLast { try request.delegateDelete(to: ipam) }
      try join(lease, to: &result)
      try ContainerInterface.configure(link, at: 0, as: result, in: worlds)
    } else {
      try worlds.switchOn(link)
    }

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
    AddressRelease.overInterface(request)
    failures.attempt("remove the interface") { () throws(ProtocolError) in
      let attachment = try request.attachment
      guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else { return }
      try TapLink.remove(attachment, in: worlds)
    }
    AddressRelease.afterInterface(request, &failures)
    try failures.report()
  }

  /// Releases addresses of attachments of this network that are no more; their devices went with
  /// their namespaces.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    var failures = Failures()
    AddressRelease.ofGarbage(request, &failures)
    try failures.report()
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try TapConfiguration(request)
    if let ipam = settings.ipamType { try request.delegateCheck(to: ipam) }
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)
    let link = try previous.link(try previous.containerInterface(), worlds.container, "container")
    try TapLink.check(link, settings, in: worlds)
    if settings.ipamType != nil { try previous.checkAddressesAndRoutes(of: link, in: worlds) }
  }

  /// Gives the device back what it has lost: its MTU, its bridge, addresses and routes.
  ///
  /// - Throws: `ProtocolError`; a device that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try TapConfiguration(request)
    if let ipam = settings.ipamType { try request.delegateRepair(to: ipam) }
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)
    let link = try previous.link(try previous.containerInterface(), worlds.container, "container")
    try TapLink.restore(link, settings, in: worlds)
    if settings.ipamType != nil {
      try previous.restoreAddressesAndRoutes(of: link, in: worlds)
    } else {
      try worlds.switchOn(link)
    }
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try TapConfiguration(request)
    do throws(SystemError) {
      try TapDevice.checkSupport()
    } catch {
      throw ProtocolError(
        .notReady, "cannot make tap devices: \(error)",
        details: "the kernel's module tun must be loaded")
    }
    if let ipam = settings.ipamType { try request.delegateStatus(to: ipam) }
  }

  /// Takes over what the IPAM plugin has given, all of it for the one interface.
  private static func join(
    _ lease: PluginResult, to result: inout PluginResult
  ) throws(ProtocolError) {
    guard !lease.addresses.isEmpty else {
      throw ProtocolError(.internalFailure, "IPAM plugin returned missing IP config")
    }
    result.addresses = lease.addresses
    for place in result.addresses.indices { result.addresses[place].interface = 0 }
    result.routes = lease.routes
    result.dns = lease.dns
  }
}
