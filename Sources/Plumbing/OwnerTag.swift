internal import Addressing
public import CNI
internal import Digest

/// Whose a rule or an element is, in sixteen bytes.
///
/// Eight bytes say the network and eight the container's interface, so that all that belongs to a
/// network can be told without knowing its attachments. Upstream begins the comments of its
/// masquerade rules with the same numbers.
public struct OwnerTag: Hashable, Sendable {
  /// The network's half.
  public let network: UInt64
  /// The half of the container and its interface.
  public let attachment: UInt64

  /// The tag of an attachment.
  public init(_ attachment: Attachment) {
    self.init(network: attachment.network, attachment.withoutNetwork)
  }

  /// The tag of an attachment that GC lists.
  public init(network: NetworkName, _ attachment: ValidAttachment) {
    self.network = Self.number(network.text)
    self.attachment = Self.number("\(attachment.interface.text):\(attachment.container.text)")
  }

  /// The network's half alone.
  public static func network(_ name: NetworkName) -> UInt64 {
    number(name.text)
  }

  /// The tag made of four numbers, as an element's key holds it.
  init(words: [UInt32]) {
    network = UInt64(words[0]) << 32 | UInt64(words[1])
    attachment = UInt64(words[2]) << 32 | UInt64(words[3])
  }

  /// Its four numbers.
  var words: [UInt32] {
    [network >> 32, network, attachment >> 32, attachment].map { UInt32(truncatingIfNeeded: $0) }
  }

  private static func number(_ text: String) -> UInt64 {
    var hash = SHA512()
    hash.update(text.utf8)
    return hash.finalize().prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension OwnerTag {
  /// Sixteen hexadecimal digits for each half: `6fd94d501e58f0aa-287fc69eff0574a2`.
  public var text: String { "\(Self.digits(network))-\(Self.digits(attachment))" }

  /// Reads the tag with which a comment begins; nil if it begins otherwise.
  public init?(beginning comment: String) {
    let text = comment.utf8.prefix(Self.textLength)
    guard text.count == Self.textLength, text.dropFirst(16).first == UInt8(ascii: "-"),
      let network = UInt64(String(decoding: text.prefix(16), as: UTF8.self), radix: 16),
      let attachment = UInt64(String(decoding: text.suffix(16), as: UTF8.self), radix: 16)
    else { return nil }
    self.network = network
    self.attachment = attachment
  }

  /// What stands beside an element for people: the tag, then the names behind it.
  ///
  /// Upstream's form and, as there, cut where it becomes too long.
  public static func comment(_ attachment: Attachment) -> String {
    "\(OwnerTag(attachment).text), net: \(attachment.network.text), "
      + "if: \(attachment.interface.text), id: \(attachment.container.text)"
  }

  /// What stands beside an element that belongs to a network as a whole.
  public static func comment(_ network: NetworkName) -> String {
    "\(digits(Self.network(network)))-\(digits(0)), net: \(network.text)"
  }

  private static let textLength = 33

  private static func digits(_ number: UInt64) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
