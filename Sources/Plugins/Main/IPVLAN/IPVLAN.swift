internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Gives a container an interface that shares the hardware address of a link of the host.
///
/// To the network outside, the containers are further addresses of the host. In a chain it can stand
/// on the link that the plugin before it has found, and take over its addresses.
public enum IPVLAN: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "ipvlan"

  /// Makes the interface in the container.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try IPVLANConfiguration(request, after: try request.previousResult())
    return try LinkAttachment.add(
      request, settings.addresses, .init(detectsDuplicates: settings.detectsDuplicates)
    ) { worlds throws(ProtocolError) in
      let lower = try settings.master.find(in: worlds)
      return ContainerLink.Settings(
        .ipvlan(IPVLANSettings(settings.mode)), on: lower,
        mtu: try lower.size(settings.mtu))
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
    let settings = try IPVLANConfiguration(request, after: try request.previousResult())
    try LinkAttachment.repair(request, settings.addresses)
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try IPVLANConfiguration(request, after: try request.previousResult())
    try LinkAttachment.check(request, settings.addresses, kind: name) {
      link, worlds throws(ProtocolError) in
      try settings.master.check(below: link, in: worlds)
      guard case .ipvlan(let found) = link.settings, found.mode == settings.mode else {
        throw ProtocolError(
          .internalFailure,
          "Container IPVlan mode of \(link.name) does not match expected value: "
            + "\(settings.mode)")
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
    let mode = try IPVLANConfiguration.mode(request.configuration)
    let master = try LowerLinkChoice(request.configuration)
    try ContainerLink.checkPossible(.ipvlan(IPVLANSettings(mode)))
    // Without IPAM it stands in a chain, and both come from the plugin before it.
    guard let type = try request.configuration.ipamType else { return }
    try master.checkPossible()
    try request.delegateStatus(to: type)
  }
}
