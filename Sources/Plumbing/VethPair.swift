public import Addressing
public import CNI
internal import Linux
public import Netlink
public import RouteNetlink

/// The pair of links that joins a container to its host.
public struct VethPair: Sendable {
  /// The end on the host.
  public let host: Link
  /// The end in the container.
  public let container: Link
  /// What is still to be said of the host's end: whose it is, and that it is on.
  private let opening: LinkChange
  /// Whether the host's end is the port of a bridge.
  private let isPort: Bool

  /// What a pair is made with.
  public struct Settings: Sendable {
    /// Bytes of payload in a frame, on both ends; the kernel's default if `nil`.
    public var mtu: MTU?
    /// The hardware address of the container's end; derived from the attachment if `nil`.
    public var hardwareAddress: HardwareAddress?
    /// The bridge whose port the host's end is from birth.
    public var bridge: Link?
    /// How it behaves as a port of that bridge.
    public var port: BridgePortSettings?

    /// Settings; what is left out is left to the kernel.
    public init(
      mtu: MTU? = nil, hardwareAddress: HardwareAddress? = nil, bridge: Link? = nil,
      port: BridgePortSettings? = nil
    ) {
      self.mtu = mtu
      self.hardwareAddress = hardwareAddress
      self.bridge = bridge
      self.port = port
    }
  }

  /// Makes the pair: one message, the container's end born in its namespace under its final name.
  ///
  /// Both ends are off until ``open(for:in:)``: nothing passes before everything else is in place, and the
  /// kernel need not notice that one end is on and the other is not, which would keep it busy while we
  /// want more of it. The host's end has no router advertisements to listen to (CVE-2020-10749); its
  /// hardware address says whose it is. Leaves nothing behind when it fails.
  ///
  /// - Throws: ``ProtocolError`` when the container has an interface of that name, when the
  ///   attachment is there already, or when the kernel refuses.
  public init(
    for attachment: Attachment, _ settings: Settings, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let names = AttachmentNames(attachment)
    var peer = VethPeer(
      name: attachment.interface, mtu: settings.mtu,
      hardwareAddress: settings.hardwareAddress ?? names.containerHardwareAddress)
    peer.place(in: worlds.namespace)
    let name = try Self.create(peer, names, attachment, settings, in: worlds)
    do {
      let ends = try Self.finish(name, peer, names, settings, in: worlds)
      host = ends.host
      container = ends.container
    } catch {
      Self.discard(name, in: worlds)
      throw error
    }
    opening = Self.opening(of: host, names, settings)
    isPort = settings.bridge != nil
  }

  /// Signs the host's end in its alias and switches it on.
  ///
  /// The pair carries frames then, if the container's end is on; see ``waitUntilUp(for:in:)``.
  ///
  /// - Parameters:
  ///   - addresses: those of the container; `nil` when they are not known yet.
  ///   - worlds: where the ends are.
  /// - Throws: ``ProtocolError`` when the kernel refuses.
  public func open(
    for addresses: [ResultAddress]?, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let mayHaveIPv6 = addresses?.contains { $0.address.family == .v6 } ?? true
    var steps: [Message] = [.changeLink(opening)]
    if isPort || !mayHaveIPv6 {
      // A bridge speaks for its ports, and nobody asks for one without IPv6 behind it. An address of
      // the end's own would only be looked for, told to everybody on the link, and forgotten again.
      var quiet = LinkChange(.index(host.index))
      quiet.hasLinkLocalAddress = false
      steps.insert(.changeLink(quiet), at: 0)
    } else {
      InterfaceSetting.skipDuplicateDetection(host.name)
    }
    do throws(NetlinkError) {
      // That the host has no IPv6, or the end too small an MTU for it, is no error.
      _ = try worlds.host.batch(steps).last?.get()
    } catch {
      throw ProtocolError(error, "failed to set up \"\(host.name)\"")
    }
  }

  /// Gets addresses, has them given to the container's end, and opens the pair.
  ///
  /// It is opened last, but before an IPAM plugin is asked that may speak over it.
  ///
  /// - Parameters:
  ///   - request: the ADD.
  ///   - ipam: the IPAM plugin.
  ///   - rollback: learns how the addresses are given back.
  ///   - worlds: where the ends are.
  ///   - configure: gives what the IPAM plugin has answered to the container's end, and tells which
  ///     addresses that are.
  /// - Throws: ``ProtocolError`` when the IPAM plugin or the kernel refuses, and what `configure`
  ///   throws.
  public func open(
    for request: Request, leasingFrom ipam: String, _ rollback: inout Rollback,
    in worlds: borrowing HostAndContainer,
    configure: (PluginResult) throws(ProtocolError) -> [ResultAddress]
  ) throws(ProtocolError) {
    let opensEarly = try request.configuration.ipamMayUseLink
    if opensEarly { try open(for: nil, in: worlds) }
    let lease = try request.delegateAdd(to: ipam)
    rollback.undoLast { try request.delegateDelete(to: ipam) }
    let addresses = try configure(lease)
    if !opensEarly { try open(for: addresses, in: worlds) }
  }

  /// Takes the pair away; that it is gone already is not an error.
  public func remove(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    try worlds.host.removeLink(.index(host.index))
  }

  /// Switches the container's end on without giving it anything.
  public func switchOn(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    try worlds.switchOn(container)
  }

  private static func create(
    _ peer: VethPeer, _ names: AttachmentNames, _ attachment: Attachment, _ settings: Settings,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> InterfaceName {
    for name in names.hostInterfaces {
      let link = NewLink(
        name, .veth(peer: peer), mtu: settings.mtu, hardwareAddress: names.hostHardwareAddress,
        master: settings.bridge?.index,
        group: AttachmentNames.unsignedGroup(of: attachment.network))
      do {
        try worlds.host.createLink(link)
        return name
      } catch  where error.isAlreadyThere {
        try refuseUnlessForeign(name, names, attachment, in: worlds)
      } catch {
        if error.cause != .refused { discardUnanswered(name, names, in: worlds) }
        throw ProtocolError(error, "failed to make veth pair")
      }
    }
    throw ProtocolError(
      .tryAgainLater, "failed to make veth pair: all names derived for this attachment are taken",
      details: names.hostInterfaces.map(\.text).joined(separator: ", "))
  }

  /// Looks what "already exists" was about; returns only if another's link holds the host's name.
  private static func refuseUnlessForeign(
    _ name: InterfaceName, _ names: AttachmentNames, _ attachment: Attachment,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let holder: Link?
    do {
      holder = try worlds.host.findLink(named: name)
    } catch {
      throw ProtocolError(error, "failed to make veth pair")
    }
    guard let holder else {
      throw ProtocolError(
        .internalFailure,
        "container veth name (\"\(attachment.interface)\") peer provided (\"\(name)\") "
          + "already exists",
        details: "the container's namespace \(worlds.namespace.path) already has an interface "
          + "\(attachment.interface); remove it, or use another CNI_IFNAME")
    }
    if names.own(holder) {
      throw ProtocolError(
        .internalFailure, "this attachment is there already: \(attachment)",
        details: "its host interface is \(name); run DEL before another ADD")
    }
  }

  /// Describes both ends, which follow from what they were made with.
  private static func finish(
    _ name: InterfaceName, _ peer: VethPeer, _ names: AttachmentNames, _ settings: Settings,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> (host: Link, container: Link) {
    let host: Link
    let container: Link
    do throws(NetlinkError) {
      host = Link(
        vethEnd: name, index: try worlds.host.index(named: name), mtu: settings.mtu,
        hardwareAddress: names.hostHardwareAddress)
      container = Link(
        vethEnd: peer.name, index: try worlds.container.index(named: peer.name), mtu: peer.mtu,
        hardwareAddress: peer.hardwareAddress ?? names.containerHardwareAddress)
    } catch {
      throw ProtocolError(error, "failed to set up \"\(name)\"")
    }
    InterfaceSetting.ignoreRouterAdvertisements(name)
    return (host, container)
  }

  private static func opening(
    of host: Link, _ names: AttachmentNames, _ settings: Settings
  ) -> LinkChange {
    var change = LinkChange(.index(host.index))
    change.alias = names.alias
    change.group = 0
    change.bridgePort = settings.port
    change.isUp = true
    return change
  }

  /// Removes the pair if it was made although the answer got lost.
  ///
  /// It is known by its hardware address, which follows from the attachment, and by being unsigned:
  /// that of an earlier ADD of the same attachment is signed.
  private static func discardUnanswered(
    _ name: InterfaceName, _ names: AttachmentNames, in worlds: borrowing HostAndContainer
  ) {
    Rollback.undoNow {
      guard let link = try worlds.host.findLink(named: name), link.alias == nil,
        link.hardwareAddress == names.hostHardwareAddress
      else { return }
      try worlds.host.removeLink(.index(link.index))
    }
  }

  private static func discard(_ name: InterfaceName, in worlds: borrowing HostAndContainer) {
    Rollback.undoNow { try worlds.host.removeLink(.name(name)) }
  }
}

extension VethPeer {
  /// Says that this end is born in a namespace, which must stay open until the pair is made.
  fileprivate mutating func place(in namespace: borrowing NetworkNamespace) {
    namespaceDescriptor = namespace.descriptor.rawValue
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// The number of a link that must be there.
  fileprivate borrowing func index(named name: InterfaceName) throws(NetlinkError) -> UInt32 {
    guard let index = try findIndex(named: name) else {
      throw NetlinkError(operation: "look up link \(name)", errno: .noDevice)
    }
    return index
  }

  /// Deletes a link; that there is none is not an error.
  ///
  /// - Throws: ``ProtocolError`` when the kernel refuses.
  public borrowing func removeLink(_ link: LinkReference) throws(ProtocolError) {
    do throws(NetlinkError) {
      switch link {
      case .index(let index): try deleteLinkInBackground(index)
      case .name: try deleteLink(link)
      }
    } catch  where error.isNotFound {
      // Gone already, which is what was wanted.
    } catch {
      throw ProtocolError(error)
    }
  }
}
