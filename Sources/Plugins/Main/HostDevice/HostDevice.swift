internal import Addressing
public import CNI
internal import Linux
internal import Plumbing
internal import RouteNetlink

/// Lends a container a network device of the host: a card, a virtual function, any link.
///
/// While it is lent the host does not have it. A device that a program drives (DPDK) has no link to
/// move; the plugin then only gets its addresses.
public enum HostDevice: Plugin {
  /// Its name on CNI_PATH.
  public static let name = "host-device"

  /// Moves the device into the container.
  ///
  /// Takes back everything it has done if a step fails: the device is on the host again, under its
  /// name, and switched on if it was.
  ///
  /// - Throws: `ProtocolError`.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let settings = try HostDeviceConfiguration(request)
    let interface = try request.attachment.interface
    let worlds = try HostAndContainer(for: request)
    var rollback = Rollback()
    var result: PluginResult
    switch try settings.find(worlds.host) {
    case .link(let device, let pci):
      let borrowed = try BorrowedLink(device, as: interface, in: worlds)
      rollback.undo { try borrowed.takeBack(in: worlds) }
      result = try LinkAttachment.connect(
        borrowed.link, request, settings.addresses,
        .init(detectsDuplicates: settings.detectsDuplicates), &rollback, in: worlds)
      result.interfaces[0].pciID = pci?.text ?? ""
    case .userSpace(let pci):
      result = try LinkAttachment.lease(request, settings.addresses, &rollback)
      result.interfaces = [
        ResultInterface(name: interface.text, sandbox: worlds.namespace.path)
      ]
      result.interfaces[0].pciID = pci.text
      result.dns = try request.configuration.resolverSettings(insteadOf: result.dns)
    }
    rollback.commit()
    return result
  }

  /// Brings the device back, switched off, and gives its addresses back.
  ///
  /// Needs neither the namespace, nor a previous result, nor the device.
  ///
  /// - Throws: `ProtocolError` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request) throws(ProtocolError) {
    var failures = Failures()
    AddressRelease.overInterface(request)
    failures.attempt("return the device") { () throws(ProtocolError) in
      try DeviceReturn.perform(request)
    }
    AddressRelease.afterInterface(request, &failures)
    try failures.report()
  }

  /// Gives the device back what it has lost of addresses and routes.
  ///
  /// - Throws: `ProtocolError`; a device that is gone takes a new ADD.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let settings = try HostDeviceConfiguration(request)
    if try settings.isDrivenByProgram {
      try settings.addresses.repair(request)
    } else {
      try LinkAttachment.repair(request, settings.addresses)
    }
  }

  /// Looks whether the device is there with all that the result tells of it, and changes nothing.
  ///
  /// - Throws: `ProtocolError` that names the first thing that is missing or different.
  public static func check(_ request: Request) throws(ProtocolError) {
    let settings = try HostDeviceConfiguration(request)
    if try settings.isDrivenByProgram {
      try settings.addresses.check(request)
      _ = try PreviousResult(request).containerInterface()
    } else {
      try LinkAttachment.check(request, settings.addresses, kind: nil)
    }
  }

  /// Gives back the addresses of attachments that are no more; the kernel has brought back their
  /// devices with the end of their namespaces.
  ///
  /// - Throws: `ProtocolError` as the IPAM plugin does.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try LinkAttachment.collectGarbage(request)
  }

  /// Tells whether the network makes sense and could have addresses now.
  ///
  /// The device is not looked for: while a container has it, it is not on the host, and the network
  /// is well all the same.
  ///
  /// - Throws: `ProtocolError`, of code 50 for what is missing.
  public static func status(_ request: Request) throws(ProtocolError) {
    try HostDeviceConfiguration(request).addresses.status(request)
  }
}
