internal import Addressing
public import CNI
internal import Linux
public import Netlink
public import RouteNetlink

/// The pair of an attachment that is to go, as far as there is one; ours, or one of upstream's plugin.
///
/// Ours is found on the host by its derived name and its alias; no namespace is needed. Upstream's
/// has a random name on the host, so it is found from inside the container, if that is still there.
/// The path may lead to another container by now, or the name to another link. So a link stays
/// unless it is a veth whose other end is on this host and looks like upstream's.
public struct DepartingPair: ~Copyable {
  private let host: NetlinkSocket<RouteFamily>
  /// The host's end.
  private let end: Link?

  /// Looks for the pair; that there is none is not an error.
  ///
  /// - Parameters:
  ///   - attachment: whose pair.
  ///   - path: `CNI_NETNS`, or `nil` when the runtime gives none.
  ///   - told: the host's interfaces by the result of the ADD; `nil` when there is none to go by.
  /// - Throws: ``ProtocolError`` when it cannot be told whether the pair is there.
  public init(
    of attachment: Attachment, namespace path: String?, told: Set<String>? = nil
  ) throws(ProtocolError) {
    let names = AttachmentNames(attachment)
    let host = try HostAndContainer.hostSocket()
    let ours = try Self.findOurs(names, host)
    end = ours == nil ? try Self.findUpstreams(names, path, told) : ours
    self.host = host
  }

  /// Switches the pair off, so that nothing passes it from now on.
  ///
  /// What must outlive the traffic can be taken away then, whatever becomes of ``remove()``.
  ///
  /// - Throws: ``ProtocolError`` when the kernel refuses.
  public borrowing func shut() throws(ProtocolError) {
    guard let end else { return }
    do {
      try host.setLink(.index(end.index), up: false)
    } catch  where error.isNotFound {
      // Gone since we looked.
    } catch {
      throw fault(error, end)
    }
  }

  /// Takes the pair away.
  ///
  /// - Throws: ``ProtocolError`` when the kernel refuses.
  public borrowing func remove() throws(ProtocolError) {
    guard let end else { return }
    do {
      try host.deleteLinkInBackground(end.index)
    } catch  where error.isNotFound {
      // Gone since we looked.
    } catch {
      throw fault(error, end)
    }
  }

  private borrowing func fault(_ error: NetlinkError, _ end: Link) -> ProtocolError {
    ProtocolError(error, "failed to take away \"\(end.name)\"")
  }

  /// Finds the pair that bears our name and is signed by us.
  private static func findOurs(
    _ names: AttachmentNames, _ host: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) -> Link? {
    do throws(NetlinkError) {
      for answer in try host.batch(names.hostInterfaces.map { .link(.name($0)) }) {
        switch answer {
        case .failure(let error):
          guard error.isNotFound else { throw error }
        case .success(let replies):
          if let link = replies.first.flatMap(Link.init), names.own(link) { return link }
        }
      }
      return nil
    } catch {
      throw ProtocolError(error, "failed to look for the host's end of the pair")
    }
  }

  /// Finds the pair by the container's end.
  private static func findUpstreams(
    _ names: AttachmentNames, _ path: String?, _ told: Set<String>?
  ) throws(ProtocolError) -> Link? {
    guard let worlds = try HostAndContainer.ifPresent(path) else { return nil }
    let interface = names.attachment.interface
    do throws(NetlinkError) {
      guard let inside = try worlds.container.findLink(named: interface),
        inside.kind == "veth", let outside = try worlds.outerEnd(of: inside),
        belongs(outside, to: names, told)
      else { return nil }
      return outside
    } catch {
      throw ProtocolError(error, "failed to look for \"\(interface)\"")
    }
  }

  /// Whether the host's end of a pair that the path led to is this attachment's.
  private static func belongs(
    _ outside: Link, to names: AttachmentNames, _ told: Set<String>?
  ) -> Bool {
    if let alias = outside.alias, alias.hasPrefix(AttachmentNames.aliasPrefix) {
      return alias == names.alias
    }
    guard AttachmentNames.isHostInterface(outside.name) else { return false }
    return told?.contains(outside.name.text) ?? true
  }
}

extension VethPair {
  /// Takes away the pairs of a network whose attachments are not in the list of the valid ones.
  ///
  /// - Parameters:
  ///   - network: the network whose pairs are looked at.
  ///   - valid: the attachments to keep.
  /// - Throws: ``ProtocolError`` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    of network: NetworkName, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try SignedLinks.collectGarbage(ofKind: "veth", in: network, keeping: valid) {
      $0.hostInterfaces
    }
  }
}

extension HostAndContainer {
  /// The host's end of the pair whose other end is in the container, if it is on this host's side.
  public borrowing func outerEnd(of inside: Link) throws(NetlinkError) -> Link? {
    guard let index = inside.peerIndex, inside.peerNamespaceID != nil,
      let outside = try host.findLink(.index(index)),
      outside.kind == "veth", outside.peerIndex == inside.index
    else { return nil }
    return outside
  }

  /// The host's end as ``outerEnd(of:)`` finds it, for those who cannot do without.
  ///
  /// - Throws: ``ProtocolError``; an end that is gone takes a new ADD.
  public borrowing func requiredOuterEnd(of inside: Link) throws(ProtocolError) -> Link {
    let outside: Link?
    do {
      outside = try outerEnd(of: inside)
    } catch {
      throw ProtocolError(error)
    }
    guard let outside else {
      throw ProtocolError(
        .internalFailure, "the other end of \(inside.name) is not on this host",
        details: "start the pod again")
    }
    return outside
  }
}

extension AttachmentNames {
  /// Whether the host's end of a pair is this attachment's.
  ///
  /// An ADD that was killed has not signed it yet; then the hardware address tells.
  func own(_ link: Link) -> Bool {
    link.alias.map { $0 == alias } ?? (link.hardwareAddress == hostHardwareAddress)
  }
}
