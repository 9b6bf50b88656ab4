public import CNI
internal import Linux
internal import Netlink
public import RouteNetlink

/// What the plugins have in common that give a container one link of its own: macvlan, ipvlan, vlan
/// and dummy, and in part those that find or borrow the link.
public enum LinkAttachment {
  /// Makes a link and gives it its addresses.
  ///
  /// Takes back everything it has done if a step fails.
  ///
  /// - Parameters:
  ///   - request: the ADD.
  ///   - addresses: where addresses come from.
  ///   - manner: how the link is treated.
  ///   - settings: decides, with both worlds at hand, what is made.
  /// - Returns: the result, with the link as its only interface.
  /// - Throws: ``ProtocolError``.
  public static func add(
    _ request: Request, _ addresses: AddressSource, _ manner: ContainerInterface.Manner,
    making settings: (borrowing HostAndContainer) throws(ProtocolError) -> ContainerLink.Settings
  ) throws(ProtocolError) -> PluginResult {
    let worlds = try HostAndContainer(for: request)
    let wanted = try settings(worlds)
    var rollback = Rollback()
    let made = try ContainerLink(for: try request.attachment, wanted, in: worlds)
    rollback.undo { try made.remove(in: worlds) }
    request.step("\(made.link.name) is in the pod")
    let result = try connect(made.link, request, addresses, manner, &rollback, in: worlds)
    rollback.commit()
    return result
  }

  /// Gives a link in the container its addresses, or only switches it on, and tells the result.
  ///
  /// - Parameters:
  ///   - link: the link, in the container.
  ///   - request: the ADD.
  ///   - addresses: where addresses come from.
  ///   - manner: how the link is treated.
  ///   - rollback: learns how the lease is taken back.
  ///   - worlds: where the link is.
  /// - Returns: the result, with the link as its only interface.
  /// - Throws: ``ProtocolError``.
  public static func connect(
    _ link: Link, _ request: Request, _ addresses: AddressSource,
    _ manner: ContainerInterface.Manner, _ rollback: inout Rollback,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> PluginResult {
    var result = try lease(request, addresses, &rollback)
    result.interfaces = [ResultInterface(link, sandbox: worlds.namespace.path)]
    if case .none = addresses {
      try worlds.switchOn(link)
    } else {
      // Others share the hardware address of a link that they do not own, or lead nowhere.
      let isItsOwn =
        switch link.settings {
        case .macvlan, .vlan: true
        default: false
        }
      var manner = manner
      manner.announcesAtOnce = !isItsOwn
      try ContainerInterface.configure(link, at: 0, as: result, manner, in: worlds)
      request.step("the pod has its addresses and routes")
      if manner.detectsDuplicates {
        try ContainerInterface.waitUntilUnique(result.addresses, of: link, in: worlds)
      } else {
        try ContainerInterface.waitUntilAnswering(result.addresses, of: link, in: worlds)
      }
      if isItsOwn { AddressAnnouncement.send(result.addresses, from: link, in: worlds) }
    }
    result.dns = try request.configuration.resolverSettings(insteadOf: result.dns)
    return result
  }

  /// Gets the addresses, all of them for the first and only interface.
  public static func lease(
    _ request: Request, _ addresses: AddressSource, _ rollback: inout Rollback
  ) throws(ProtocolError) -> PluginResult {
    var result: PluginResult
    switch addresses {
    case .none: return PluginResult()
    case .earlier(let earlier): result = earlier
    case .delegate(let type):
      result = try request.delegateAdd(to: type)
      rollback.undoLast { try request.delegateDelete(to: type) }
      guard !result.addresses.isEmpty else {
        throw ProtocolError(.internalFailure, "IPAM plugin returned missing IP config")
      }
    }
    for place in result.addresses.indices { result.addresses[place].interface = 0 }
    return result
  }

  /// Takes the link away and gives its addresses back, whatever is left of them.
  ///
  /// - Parameters:
  ///   - request: the DEL.
  ///   - kind: the kernel's name for the kind of the link.
  /// - Throws: ``ProtocolError`` with all that went wrong, after everything has been tried.
  public static func delete(_ request: Request, kind: String) throws(ProtocolError) {
    var failures = Failures()
    AddressRelease.overInterface(request)
    failures.attempt("remove the interface") { () throws(ProtocolError) in
      try ContainerLink.remove(for: request, kind: kind)
    }
    AddressRelease.afterInterface(request, &failures)
    try failures.report()
  }

  /// Gives back the addresses of attachments that are no more; their links went with the namespaces.
  ///
  /// - Throws: ``ProtocolError`` as the IPAM plugin does.
  public static func collectGarbage(_ request: Request) throws(ProtocolError) {
    var failures = Failures()
    AddressRelease.ofGarbage(request, &failures)
    try failures.report()
  }

  /// Gives the link back what it has lost of addresses and routes, and switches it on.
  ///
  /// - Parameters:
  ///   - request: what is to be repaired.
  ///   - addresses: where addresses come from.
  ///   - manner: how the link was treated.
  /// - Throws: ``ProtocolError``; a link that is gone takes a new ADD.
  public static func repair(
    _ request: Request, _ addresses: AddressSource, _ manner: ContainerInterface.Manner = .init()
  ) throws(ProtocolError) {
    try addresses.repair(request)
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)
    let link = try previous.link(
      try previous.containerInterface(), worlds.container, "container")
    try previous.restoreAddressesAndRoutes(of: link, manner, in: worlds)
  }

  /// Looks whether the link is there, of its kind, up, with all that the result tells of it.
  ///
  /// - Parameters:
  ///   - request: the CHECK.
  ///   - addresses: where addresses come from.
  ///   - kind: the kernel's name for the kind of the link; any kind if `nil`.
  ///   - compare: looks at what only this kind has.
  /// - Throws: ``ProtocolError`` that names the first thing that is missing or different.
  public static func check(
    _ request: Request, _ addresses: AddressSource, kind: String?,
    _ compare: (Link, borrowing HostAndContainer) throws(ProtocolError) -> Void = { _, _ in }
  ) throws(ProtocolError) {
    try addresses.check(request)
    let previous = try PreviousResult(request)
    let worlds = try HostAndContainer(for: request)
    let link = try previous.link(
      try previous.containerInterface(), worlds.container, "container")
    if let kind, link.kind != kind {
      throw ProtocolError(
        .internalFailure, "Error: Container interface \(link.name) not of type \(kind)")
    }
    guard link.isUp else {
      throw ProtocolError(.internalFailure, "Interface \(link.name) is down")
    }
    try compare(link, worlds)
    try previous.checkAddressesAndRoutes(of: link, in: worlds)
  }
}
