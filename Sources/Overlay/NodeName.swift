public import Addressing

/// The name of a node, the same on all nodes of a cluster.
public struct NodeName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The name: 1 to 253 letters, digits, dots, dashes and underscores, the first a letter or digit.
  public let text: String

  /// Takes a name as hosts and Kubernetes' nodes have them.
  public init(_ text: String) throws(AddressParseError) {
    guard 1...253 ~= text.utf8.count else {
      throw AddressParseError(text: text, reason: "a node's name has 1 to 253 letters")
    }
    for (offset, byte) in text.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        continue
      case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
        if offset > 0 { continue }
      default: break
      }
      throw AddressParseError(
        text: text,
        reason: "a node's name is made of letters, digits, dots, dashes and underscores",
        offset: offset)
    }
    self.text = text
  }

  /// The name itself.
  public var description: String { text }

  /// By bytes.
  public static func < (left: NodeName, right: NodeName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }
}
