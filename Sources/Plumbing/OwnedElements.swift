internal import Addressing
public import CNI
public import Netlink
public import Nftables

/// What stands in our tables of the packet filter in somebody's name, whichever plugin put it there.
///
/// For those who look for what nobody owns any more; the plugins themselves ask by owner.
public struct OwnedElement: Hashable, Sendable {
  /// Whose it is.
  public let owner: OwnerTag
  /// The set it stands in.
  public let set: String
  /// The table of that set: `inet swift_cni`.
  public let table: String
  /// What is looked up, where that is told by the element and not by the owner.
  public let key: ElementKey?
  /// The owner by name, as far as the element tells it whole.
  public let attachment: Attachment?

  /// Reads both of our tables.
  ///
  /// Costs as much as there are elements.
  ///
  /// - Throws: `NetlinkError` when they cannot be read; that there are none is no error.
  public static func all(
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [OwnedElement] {
    var all: [OwnedElement] = []
    for table in [Table.ours, .oursOnBridges] {
      for name in try socket.setNames(in: table) {
        for element in try socket.elements(of: NamedSet(name, in: table, key: [])) {
          if let comment = element.comment, let owner = OwnerTag(beginning: comment) {
            all.append(
              OwnedElement(
                owner: owner, set: name, table: "\(table)", key: element.key,
                attachment: OwnerTag.attachment(in: comment)))
          } else if let owner = OwnerRegister.owner(in: element, of: name) {
            all.append(
              OwnedElement(owner: owner, set: name, table: "\(table)", key: nil, attachment: nil))
          }
        }
      }
    }
    return all
  }
}

extension OwnerTag {
  /// Whether it is a network as a whole, and none of its attachments.
  public var isOfNetworkAlone: Bool { attachment == 0 }

  /// The attachment that a comment names after the tag; nil if it names none, or not all of it.
  static func attachment(in comment: String) -> Attachment? {
    var names: [Substring: Substring] = [:]
    for part in comment.split(separator: ",").dropFirst() {
      let sides = part.drop { $0 == " " }.split(separator: ":", maxSplits: 1)
      guard sides.count == 2 else { continue }
      names[sides[0]] = sides[1].drop { $0 == " " }
    }
    guard let network = names["net"], let container = names["id"], let interface = names["if"]
    else {
      return nil
    }
    do {
      let attachment = Attachment(
        network: try NetworkName(String(network)), container: try ContainerID(String(container)),
        interface: try InterfaceName(String(interface)))
      // A comment that was cut names somebody else.
      return OwnerTag(attachment) == OwnerTag(beginning: comment) ? attachment : nil
    } catch {
      return nil
    }
  }
}

extension OwnerRegister {
  /// What the names of registers end in.
  private static let endings = ["_owners", "_shared"]

  /// Whose an entry of a register is; nil for an element of any other set.
  static func owner(in element: Element, of set: String) -> OwnerTag? {
    let numbers = element.key.marks
    guard endings.contains(where: set.hasSuffix), numbers.count == 5 else { return nil }
    return OwnerTag(words: numbers)
  }
}
