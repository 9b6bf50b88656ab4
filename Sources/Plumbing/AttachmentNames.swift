public import Addressing
public import CNI
internal import Digest

/// What an attachment is called where there is no room for its three parts.
///
/// Every name is derived from the attachment alone, so DEL finds it without the namespace and
/// without a previous result.
public struct AttachmentNames: Sendable {
  let digest: [UInt8]
  let attachment: Attachment

  /// The names of one attachment.
  public init(_ attachment: Attachment) {
    self.attachment = attachment
    var hash = SHA512()
    hash.update(Self.plainText(attachment).utf8)
    digest = hash.finalize()
  }

  /// The names that the host's end of the pair may have, the first free one being taken.
  ///
  /// Upstream's form, `veth` and eight hexadecimal digits; there the digits are random. With them
  /// derived, two attachments of a node meet once in some hundred thousand pods, and then the
  /// second one takes its next candidate.
  public var hostInterfaces: [InterfaceName] {
    (0..<Self.candidates).compactMap { candidate in
      InterfaceName(veth: digest[(candidate * 4)..<(candidate * 4 + 4)])
    }
  }

  /// How many names are tried for the host's end.
  private static var candidates: Int { 4 }

  /// The name of a link that the host needs for another one of its links, in the same form.
  public static func hostInterface(for link: InterfaceName) -> InterfaceName {
    var hash = SHA512()
    hash.update(link.text.utf8)
    return InterfaceName(veth: hash.finalize().prefix(4)) ?? link
  }

  /// Whether a name has the form that upstream and we give to the host's ends.
  static func isHostInterface(_ name: InterfaceName) -> Bool {
    let digits = name.text.utf8.dropFirst(4)
    return name.text.hasPrefix("veth") && digits.count == 8
      && digits.allSatisfy {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
      }
  }

  /// What the host's end says in its alias: whose it is.
  ///
  /// `swift-cni:network/container/interface`; none of the parts can hold a slash. A text longer
  /// than an alias can be is cut and ends in its digest. Kernel name: `IFLA_IFALIAS`, at most 255
  /// bytes (`IFALIASZ`).
  public var alias: String {
    let text = Self.aliasPrefix + Self.plainText(attachment)
    guard text.utf8.count > Self.aliasLimit else { return text }
    let ending = "#" + digest.prefix(16).hexadecimalText()
    return String(decoding: text.utf8.prefix(Self.aliasLimit - ending.utf8.count), as: UTF8.self)
      + ending
  }

  /// The group that a link of a network's attachments is born in, until it is signed.
  ///
  /// The kernel takes no alias for a link that is being made, so an ADD that is killed in between
  /// leaves one without. DEL knows it by its name and hardware address; GC, which has only the
  /// attachments that are to stay, knows it by this. Kernel name: `IFLA_GROUP`.
  public static func unsignedGroup(of network: NetworkName) -> UInt32 {
    var hash = SHA512()
    hash.update((aliasPrefix + network.text).utf8)
    let number = hash.finalize().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    // The upper half, far from the groups that people number.
    return number | 1 << 31
  }

  /// What every alias of ours begins with.
  public static var aliasPrefix: String { "swift-cni:" }

  /// What every alias of a network's attachments begins with, however long the rest is.
  static func aliasPrefix(of network: NetworkName) -> String {
    aliasPrefix + network.text + "/"
  }

  private static var aliasLimit: Int { 255 }

  /// The hardware address of the host's end.
  public var hostHardwareAddress: HardwareAddress {
    .locallyAdministered(from: Array(digest[16..<22]))
  }

  /// The hardware address of the container's end where the configuration asks for none.
  ///
  /// The same each time the attachment is made, so that neighbours who remember it stay right.
  public var containerHardwareAddress: HardwareAddress {
    .locallyAdministered(from: Array(digest[22..<28]))
  }

  private static func plainText(_ attachment: Attachment) -> String {
    "\(attachment.network.text)/\(attachment.container.text)/\(attachment.interface.text)"
  }
}

extension InterfaceName {
  /// `veth` and the bytes in hexadecimal digits.
  fileprivate init?(veth bytes: some Collection<UInt8>) {
    do {
      try self.init("veth" + bytes.hexadecimalText())
    } catch {
      // Four bytes make twelve letters and digits; there is no such name to refuse.
      return nil
    }
  }
}
