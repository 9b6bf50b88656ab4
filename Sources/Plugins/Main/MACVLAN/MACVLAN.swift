internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Gives a container an interface with a hardware address of its own on a link of the host.
///
/// To the network outside, each container is a host by itself. The kernel does not let the host and
/// its containers reach each other over the same link.
public enum MACVLAN: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "macvlan"

  /// Makes the interface in the container.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try MACVLANConfiguration(request)
    let address = try hardwareAddress(settings, request)
    return try LinkAttachment.add(
      request, settings.addresses, .init(detectsDuplicates: settings.detectsDuplicates)
    ) { worlds throws(ProtocolError) in
      let lower = try settings.master.find(in: worlds)
      let mtu = try lower.size(settings.mtu)
      try lower.checkRoom(for: mtu)
      return ContainerLink.Settings(
        .macvlan(settings.settings), on: lower, mtu: mtu, hardwareAddress: address)
    }
  }

  /// Removes the interface and gives its addresses back; what is gone is as good as removed.
  ///
  /// Needs neither the namespace, nor a previous result, nor the master.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    try LinkAttachment.delete(request, kind: name)
  }

  /// Gives the link back what it has lost of addresses and routes.
  ///
  /// - Throws: `ProtocolError`; a link that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try MACVLANConfiguration(request)
    try LinkAttachment.repair(request, settings.addresses)
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try MACVLANConfiguration(request)
    try LinkAttachment.check(request, settings.addresses, kind: name) {
      link, worlds throws(ProtocolError) in
      try settings.master.check(below: link, in: worlds)
      guard case .macvlan(let found) = link.settings, found.mode == settings.settings.mode else {
        throw ProtocolError(
          .internalFailure,
          "container macvlan mode of \(link.name) does not match expected value: "
            + "\(settings.settings.mode)")
      }
    }
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
    let settings = try MACVLANConfiguration(request)
    try ContainerLink.checkPossible(.macvlan(settings.settings))
    try settings.master.checkPossible()
    try settings.addresses.status(request)
  }

  /// What is asked for, or else one that follows from the attachment, so that neighbours who
  /// remember it stay right; in passthru mode the master's.
  private static func hardwareAddress(
    _ settings: MACVLANConfiguration, _ request: Request
  ) throws(ProtocolError) -> HardwareAddress? {
    if let asked = settings.hardwareAddress { return asked }
    guard settings.settings.mode != .passThrough else { return nil }
    return AttachmentNames(try request.attachment).containerHardwareAddress
  }
}
