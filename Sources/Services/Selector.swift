/// Which pods belong to a service: those that have all of its labels.
public struct Selector: Hashable, Sendable {
  /// One label and its value.
  public struct Pair: Hashable, Comparable, Sendable {
    /// The label.
    public let key: String
    /// Its value.
    public let value: String

    /// By label, then by value.
    public static func < (left: Pair, right: Pair) -> Bool {
      (left.key, left.value) < (right.key, right.value)
    }
  }

  /// The labels, sorted; at least one.
  public let pairs: [Pair]

  /// Takes labels; nil if there are none, since a service without a selector selects no pod.
  public init?(_ labels: [String: String]) {
    guard !labels.isEmpty else { return nil }
    pairs = labels.map { Pair(key: $0.key, value: $0.value) }.sorted()
  }

  /// Whether a pod of these labels belongs to it.
  public func matches(_ labels: [String: String]) -> Bool {
    pairs.allSatisfy { labels[$0.key] == $0.value }
  }

  /// The labels.
  var labels: [String: String] {
    Dictionary(pairs.map { ($0.key, $0.value) }) { _, last in last }
  }
}

/// The labels of a pod or an object, as Kubernetes writes them.
enum Labels {
  /// Why a label cannot be one; nil if it can.
  static func fault(key: String, value: String) -> String? {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    let isKey: Bool =
      switch parts.count {
      case 1: isName(parts[0])
      case 2: 1...253 ~= parts[0].utf8.count && isPrefix(parts[0]) && isName(parts[1])
      default: false
      }
    guard isKey else { return "\"\(key.prefix(80))\" cannot be a label" }
    guard value.isEmpty || isName(value[...]) else {
      return "\"\(value.prefix(80))\" cannot be the value of a label"
    }
    return nil
  }

  /// Up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
  private static func isName(_ text: Substring) -> Bool {
    guard 1...63 ~= text.utf8.count, let first = text.utf8.first, let last = text.utf8.last
    else { return false }
    return isLetterOrDigit(first) && isLetterOrDigit(last)
      && text.utf8.allSatisfy {
        isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
          || $0 == UInt8(ascii: ".")
      }
  }

  private static func isPrefix(_ text: Substring) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      ServiceName.isLabel(String($0))
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
