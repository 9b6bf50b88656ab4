import Addressing
import CNI
import Nftables
import Plumbing

/// Who holds an element, as its comment tells it.
///
/// The container comes before the other names, so that it is whole where the comment is cut.
struct PortHolder: Hashable, Sendable {
  /// The attachment.
  let owner: OwnerTag
  /// Its names, as far as they fit.
  private let names: String

  /// Reads the comment of an element; nil if it tells nobody.
  init?(_ comment: String?) {
    guard let comment, let owner = OwnerTag(beginning: comment) else { return nil }
    self.owner = owner
    names = String(comment.dropFirst(owner.text.count))
  }

  /// What stands beside the elements of an attachment.
  static func comment(_ attachment: Attachment) -> String {
    "\(OwnerTag(attachment).text)\(containerLabel)\(attachment.container.text)"
      + "\(networkLabel)\(attachment.network.text), if: \(attachment.interface.text)"
  }

  /// Whether it is this container, on whatever network.
  func isContainer(_ container: ContainerID) -> Bool {
    guard names.hasPrefix(Self.containerLabel) else { return false }
    let rest = names.dropFirst(Self.containerLabel.count)
    if rest.hasPrefix(container.text + Self.networkLabel) { return true }
    // Cut in the middle of the name, which only a very long one can be.
    return !rest.contains(",") && rest.count > 64 && container.text.hasPrefix(rest)
  }

  /// Its names for an error.
  var text: String {
    var text = names
    while let first = text.first, first == "," || first == " " { text.removeFirst() }
    return text.isEmpty ? owner.text : text
  }

  private static let containerLabel = ", id: "
  private static let networkLabel = ", net: "
}

/// A port of the host that is asked for and that somebody else has.
struct PortConflict: Hashable, Sendable {
  let forward: PortForward
  /// Who has it; nil if the element does not say.
  let holder: PortHolder?
  /// Where it leads now.
  let target: String

  var error: ProtocolError {
    ProtocolError(
      .internalFailure,
      "\(forward.family) \(forward.hostText) of the host leads to \(target) already: it belongs to "
        + "\(holder?.text ?? "an element that is not ours")",
      details: "give the container another host port, or delete the other one; if the other one is "
        + "gone, its network has to see DEL or GC")
  }
}
