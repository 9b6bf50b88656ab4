internal import Addressing
public import CNI
internal import Linux
public import Netlink
public import RouteNetlink

extension VethPair {
  /// Takes away the pair of an attachment, ours or one that upstream's plugin made.
  ///
  /// Ours is found on the host by its derived name and its alias; no namespace is needed. Upstream's
  /// has a random name on the host, so it is found from inside the container, if that is still
  /// there. The path may lead to another container by now, or the name to another link. So a link
  /// stays unless it is a veth whose other end is on this host and looks like upstream's.
  ///
  /// - Parameters:
  ///   - attachment: whose pair.
  ///   - path: `CNI_NETNS`, or `nil` when the runtime gives none.
  ///   - told: the host's interfaces by the result of the ADD; `nil` when there is none to go by.
  /// - Throws: ``ProtocolError`` when it cannot be told whether the pair is there, or when it cannot
  ///   be deleted. That there is no pair is not an error.
  public static func remove(
    for attachment: Attachment, namespace path: String?, told: Set<String>? = nil
  ) throws(ProtocolError) {
    try find(attachment, namespace: path, told) { socket, link throws(NetlinkError) in
      try socket.deleteLinkInBackground(link.index)
    }
  }

  /// Switches the pair of an attachment off, so that nothing passes it from now on.
  ///
  /// That takes the kernel a tenth of a millisecond; to forget the pair takes it some twenty, in
  /// which other things can be taken away that must outlive the traffic.
  ///
  /// - Parameters:
  ///   - attachment: whose pair; found as by ``remove(for:namespace:told:)``.
  ///   - path: `CNI_NETNS`, or `nil` when the runtime gives none.
  ///   - told: the host's interfaces by the result of the ADD; `nil` when there is none to go by.
  /// - Throws: ``ProtocolError`` as ``remove(for:namespace:told:)`` does.
  public static func shut(
    for attachment: Attachment, namespace path: String?, told: Set<String>? = nil
  ) throws(ProtocolError) {
    try find(attachment, namespace: path, told) { socket, link throws(NetlinkError) in
      var change = LinkChange(.index(link.index))
      change.isUp = false
      try socket.changeLink(change)
    }
  }

  /// What is done with one end of a pair, on the socket that sees it.
  private typealias Work =
    (borrowing NetlinkSocket<RouteFamily>, Link) throws(NetlinkError) -> Void

  /// Finds the pair of an attachment by either end; nothing happens if there is none.
  private static func find(
    _ attachment: Attachment, namespace path: String?, _ told: Set<String>?, _ work: Work
  ) throws(ProtocolError) {
    let names = AttachmentNames(attachment)
    if try findOurs(names, work) { return }
    guard let worlds = try HostAndContainer.ifPresent(path) else { return }
    do throws(NetlinkError) {
      guard let inside = try worlds.container.findLink(named: attachment.interface),
        inside.kind == "veth", let outside = try worlds.outerEnd(of: inside),
        belongs(outside, to: names, told)
      else { return }
      try work(worlds.container, inside)
    } catch  where error.isNotFound {
      // Gone since we looked.
    } catch {
      throw ProtocolError(error, "failed to take away \"\(attachment.interface)\"")
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

  /// Takes away the pairs of a network whose attachments are not in the list of the valid ones.
  ///
  /// - Parameters:
  ///   - network: the network whose pairs are looked at.
  ///   - valid: the attachments to keep.
  /// - Throws: ``ProtocolError`` with all that went wrong, after everything has been tried.
  public static func collectGarbage(
    of network: NetworkName, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    try SignedLinks.collectGarbage(ofKind: "veth", in: network, keeping: valid)
  }

  /// Finds the pair that bears our name and is signed by us.
  private static func findOurs(_ names: AttachmentNames, _ work: Work) throws(ProtocolError) -> Bool
  {
    let host = try HostAndContainer.hostSocket()
    do throws(NetlinkError) {
      let answers = try host.batch(names.hostInterfaces.map { .link(.name($0)) })
      for answer in answers {
        switch answer {
        case .failure(let error):
          guard error.isNotFound else { throw error }
        case .success(let replies):
          guard let link = replies.first.flatMap(Link.init), names.own(link) else { continue }
          try work(host, link)
          return true
        }
      }
      return false
    } catch  where error.isNotFound {
      return true
    } catch {
      throw ProtocolError(error, "failed to take away the host's end of the pair")
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
}

extension AttachmentNames {
  /// Whether the host's end of a pair is this attachment's.
  ///
  /// An ADD that was killed has not signed it yet; then the hardware address tells.
  func own(_ link: Link) -> Bool {
    link.alias.map { $0 == alias } ?? (link.hardwareAddress == hostHardwareAddress)
  }
}
