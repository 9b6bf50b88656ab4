internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Gives a container an interface that leads nowhere, to carry addresses.
///
/// It has no keys of its own. The kernel loses whatever is sent by the interface.
public enum Dummy: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "dummy"

  /// Makes the interface in the container.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let addresses = try addresses(request)
    // The same each time, so that the link-local address is, too.
    let hardware = AttachmentNames(try request.attachment).containerHardwareAddress
    return try LinkAttachment.add(request, addresses, .init()) { _ in
      ContainerLink.Settings(.dummy, hardwareAddress: hardware)
    }
  }

  /// Removes the interface and gives its addresses back; what is gone is as good as removed.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    try LinkAttachment.delete(request, kind: LinkKind.dummy.name)
  }

  /// Gives the link back what it has lost of addresses and routes.
  ///
  /// - Throws: `ProtocolError`; a link that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    try LinkAttachment.repair(request, try addresses(request))
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    try LinkAttachment.check(request, try addresses(request), kind: LinkKind.dummy.name)
  }

  /// Gives back the addresses of attachments that are no more.
  ///
  /// - Throws: `ProtocolError` as the IPAM plugin does.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try LinkAttachment.collectGarbage(request)
  }

  /// Tells whether an ADD could succeed now.
  ///
  /// - Throws: `ProtocolError`, code 50, that names what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    let addresses = try addresses(request)
    try ContainerLink.checkPossible(.dummy)
    try addresses.status(request)
  }

  private static func addresses(_ request: Request) throws(ProtocolError) -> AddressSource {
    guard let type = try request.configuration.ipamType else {
      throw ProtocolError(
        .invalidConfiguration, "dummy interface requires an IPAM configuration",
        details: "name an IPAM plugin under \"ipam.type\"")
    }
    return .delegate(type)
  }
}
