internal import Addressing
public import CNI
internal import Netlink
internal import RouteNetlink

extension ContainerLink {
  /// Takes away the link of an attachment, ours or one that upstream's plugin made.
  ///
  /// The path may lead to another container by now, or the name to another link. So a link stays
  /// if it is of another kind, if it is signed as another attachment's, or if nobody has signed it
  /// and it has another hardware address than the result of the ADD tells.
  ///
  /// - Parameters:
  ///   - request: whose link; the namespace may be gone, and its links with it.
  ///   - kind: the kernel's name for the kind.
  /// - Throws: ``ProtocolError`` when it cannot be told whether the link is there, or when it cannot
  ///   be deleted. That there is no link is not an error.
  public static func remove(for request: Request, kind: String) throws(ProtocolError) {
    guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else { return }
    let attachment = try request.attachment
    let names = AttachmentNames(attachment)
    // Under another name than its own if the ADD was killed while it made the link.
    let places = [attachment.interface] + names.hostInterfaces
    do throws(NetlinkError) {
      for answer in try worlds.container.batch(places.map { .link(.name($0)) }) {
        switch answer {
        case .failure(let error):
          guard error.isNotFound else { throw error }
        case .success(let replies):
          guard let link = replies.first.flatMap(Link.init), link.kind == kind,
            belongs(link, to: names, request)
          else { continue }
          try worlds.container.deleteLinkInBackground(link.index)
        }
      }
    } catch  where error.isNotFound {
      // Gone since we looked.
    } catch {
      throw ProtocolError(error, "failed to delete \"\(attachment.interface)\"")
    }
  }

  /// Whether a link that path and name led to is this attachment's.
  private static func belongs(
    _ link: Link, to names: AttachmentNames, _ request: Request
  ) -> Bool {
    if let alias = link.alias, alias.hasPrefix(AttachmentNames.aliasPrefix) {
      return alias == names.alias
    }
    do throws(ProtocolError) {
      let told = try PreviousResult(request).containerInterface().hardwareAddress
      return told == nil || told == link.hardwareAddress
    } catch {
      // DEL must do with what there is.
      return true
    }
  }
}
