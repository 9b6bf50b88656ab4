public import Addressing
public import CNI
internal import Linux
internal import Netlink
public import RouteNetlink

/// A link that a container has for itself, on a link of the host or on nothing: no pair.
public struct ContainerLink: Sendable {
  /// The link, in the container.
  public let link: Link

  /// What a link is made with.
  public struct Settings: Sendable {
    /// What it is.
    public var kind: LinkKind
    /// What it stands on, if it stands on anything.
    public var lower: LowerLink?
    /// Bytes of payload in a frame; what the kernel takes if `nil`, as a rule the lower link's.
    public var mtu: MTU?
    /// Its hardware address; left to the kernel if `nil`.
    public var hardwareAddress: HardwareAddress?

    /// Settings; what is left out is left to the kernel.
    public init(
      _ kind: LinkKind, on lower: LowerLink? = nil, mtu: MTU? = nil,
      hardwareAddress: HardwareAddress? = nil
    ) {
      self.kind = kind
      self.lower = lower
      self.mtu = mtu
      self.hardwareAddress = hardwareAddress
    }
  }

  /// Makes the link: one message, born in the container's namespace under its final name.
  ///
  /// It is down, and says in its alias whose it is. Kernels before 6.14 do not make it under a name
  /// that a link of the host has, such as `eth0`; there it is born under another one, and renamed in
  /// the message that signs it. Leaves nothing behind when it fails.
  ///
  /// - Throws: ``ProtocolError`` when the container has an interface of that name, or when the kernel
  ///   refuses.
  public init(
    for attachment: Attachment, _ settings: Settings, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let names = AttachmentNames(attachment)
    let name = try Self.create(attachment, names, settings, in: worlds)
    do {
      link = try Self.finish(name, attachment, names, in: worlds)
    } catch {
      Self.discard(name, in: worlds)
      throw ProtocolError(error, "failed to set up \"\(attachment.interface)\"")
    }
  }

  /// Takes the link away; that it is gone already is not an error.
  public func remove(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    try worlds.container.removeLink(.index(link.index))
  }

  /// Makes the link and tells under which name.
  private static func create(
    _ attachment: Attachment, _ names: AttachmentNames, _ settings: Settings,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> InterfaceName {
    guard var refusal = try attempt(attachment.interface, settings, in: worlds) else {
      return attachment.interface
    }
    try refuseIfTaken(attachment, names, settings, in: worlds)
    if try isTakenOnHost(attachment.interface, settings, in: worlds) {
      for name in names.hostInterfaces {
        guard let again = try attempt(name, settings, in: worlds) else { return name }
        refusal = again
      }
    }
    throw fault(refusal, settings)
  }

  /// Asks for the link under a name.
  ///
  /// - Returns: the refusal if something is there already, which calls for a look; `nil` if it was
  ///   made.
  private static func attempt(
    _ name: InterfaceName, _ settings: Settings, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> NetlinkError? {
    var link = NewLink(
      name, settings.kind, mtu: settings.mtu, hardwareAddress: settings.hardwareAddress)
    link.lower = settings.lower?.link.index
    do {
      if settings.isBornFromHost {
        link.place(in: worlds.namespace)
        try worlds.host.createLink(link)
      } else {
        try worlds.container.createLink(link)
      }
      return nil
    } catch  where error.isAlreadyThere {
      return error
    } catch {
      if error.cause != .refused { discardUnanswered(name, settings, in: worlds) }
      throw fault(error, settings)
    }
  }

  private static func refuseIfTaken(
    _ attachment: Attachment, _ names: AttachmentNames, _ settings: Settings,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let holder: Link?
    do {
      holder = try worlds.container.findLink(named: attachment.interface)
    } catch {
      throw fault(error, settings)
    }
    guard let holder else { return }
    guard holder.alias != names.alias else {
      throw ProtocolError(
        .internalFailure, "this attachment is there already: \(attachment)",
        details: "run DEL before another ADD")
    }
    throw ProtocolError(
      .internalFailure,
      "failed to create \(settings.kind.name): the container has an interface "
        + "\"\(attachment.interface)\" already",
      details: "remove it from \(worlds.namespace.path), or use another CNI_IFNAME")
  }

  /// Whether the name may be all that an older kernel objects to.
  private static func isTakenOnHost(
    _ name: InterfaceName, _ settings: Settings, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Bool {
    guard settings.isBornFromHost else { return false }
    do {
      return try worlds.host.findIndex(named: name) != nil
    } catch {
      throw fault(error, settings)
    }
  }

  /// Signs the link, gives it its final name if it has another one, and reads it.
  private static func finish(
    _ name: InterfaceName, _ attachment: Attachment, _ names: AttachmentNames,
    in worlds: borrowing HostAndContainer
  ) throws(NetlinkError) -> Link {
    var change = LinkChange(.name(name))
    if name != attachment.interface {
      // Only a link that is referred to by number can be given a name.
      change.link = .index(try worlds.container.link(named: name).index)
      change.name = attachment.interface
    }
    change.alias = names.alias
    return try worlds.container.changeLinkAndRead(change)
  }

  private static func fault(_ error: NetlinkError, _ settings: Settings) -> ProtocolError {
    let kind = settings.kind.name
    guard !error.isUnsupported else {
      let told = ProtocolError(unsupported: settings.kind)
      return ProtocolError(
        .internalFailure, "failed to create \(kind): \(told.message)", details: told.details)
    }
    var told = ProtocolError(error, "failed to create \(kind)")
    guard let lower = settings.lower else { return told }
    switch error.errno {
    case .busy:
      told.details =
        "\"\(lower.link.name)\" serves something else: a link is the port of a bridge or bond, or "
        + "carries macvlan, or carries ipvlan"
    case .exists:
      told.details =
        "\"\(lower.link.name)\" has such a link already, which may be in another container"
    default: break
    }
    return told
  }

  /// Removes the link if it was made although the answer got lost: it is of that kind, on that
  /// link, and nobody has signed it.
  private static func discardUnanswered(
    _ name: InterfaceName, _ settings: Settings, in worlds: borrowing HostAndContainer
  ) {
    Rollback.undoNow {
      guard let link = try worlds.container.findLink(named: name), link.alias == nil,
        link.kind == settings.kind.name, link.peerIndex == settings.lower?.link.index
      else { return }
      try worlds.container.removeLink(.index(link.index))
    }
  }

  private static func discard(_ name: InterfaceName, in worlds: borrowing HostAndContainer) {
    Rollback.undoNow { try worlds.container.removeLink(.name(name)) }
  }
}

extension ContainerLink.Settings {
  /// Whether the message must come from the host's side, as the link it stands on is there.
  fileprivate var isBornFromHost: Bool { lower?.isInContainer == false }
}
