internal import Addressing
public import CNI
internal import Plumbing
internal import RouteNetlink

/// Gives a container one VLAN of a link of the host, as an interface.
///
/// A master carries each VLAN once, so there is one container on the node for each number.
public enum VLAN: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "vlan"

  /// Makes the interface in the container.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try VLANConfiguration(request)
    return try LinkAttachment.add(
      request, settings.addresses, .init(detectsDuplicates: settings.detectsDuplicates)
    ) { worlds throws(ProtocolError) in
      let lower = try settings.master.find(in: worlds)
      let mtu = try lower.size(settings.mtu)
      try lower.checkRoom(for: mtu)
      return ContainerLink.Settings(.vlan(settings.number), on: lower, mtu: mtu)
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
    let settings = try VLANConfiguration(request)
    try LinkAttachment.repair(request, settings.addresses)
  }

  /// Looks whether everything that the ADD has made is still there, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try VLANConfiguration(request)
    try LinkAttachment.check(request, settings.addresses, kind: name) {
      link, worlds throws(ProtocolError) in
      try settings.master.check(below: link, in: worlds)
      guard link.settings == .vlan(settings.number) else {
        throw ProtocolError(
          .internalFailure, "\(link.name) is not VLAN \(settings.number), as \"vlanId\" has it")
      }
      guard settings.mtu.mtu == nil || settings.mtu.mtu?.bytes == link.mtu else {
        throw ProtocolError(
          .internalFailure, "\(link.name) has the MTU \(link.mtu), another one than \"mtu\" has")
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
    let settings = try VLANConfiguration(request)
    try ContainerLink.checkPossible(.vlan(settings.number))
    try settings.master.checkPossible()
    try settings.addresses.status(request)
  }
}
