/// What a service is called: its namespace, and its name there.
///
/// Both are labels of DNS, so they are fit for file names.
public struct ServiceName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The namespace.
  public let namespace: String
  /// The name in it.
  public let name: String

  /// Takes two labels; nil if one of them is none.
  public init?(namespace: String, name: String) {
    guard Self.isLabel(namespace), Self.isLabel(name) else { return nil }
    self.namespace = namespace
    self.name = name
  }

  /// Reads `namespace/name`, or a name in the namespace `default`; nil if it is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1: self.init(namespace: Self.defaultNamespace, name: parts[0])
    case 2: self.init(namespace: parts[0], name: parts[1])
    default: return nil
    }
  }

  /// The namespace of what says none.
  public static let defaultNamespace = "default"

  /// `namespace/name`.
  public var description: String { "\(namespace)/\(name)" }

  /// The name of its file: `namespace.name.json`; labels have no dot in them.
  var fileName: String { "\(namespace).\(name).json" }

  /// By namespace, then by name, each byte by byte.
  public static func < (left: ServiceName, right: ServiceName) -> Bool {
    left.namespace == right.namespace
      ? left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
      : left.namespace.utf8.lexicographicallyPrecedes(right.namespace.utf8)
  }

  /// Whether a text is a label of DNS: 1 to 63 small letters, digits and dashes, none at an end.
  ///
  /// RFC 1123, section 2.1
  static func isLabel(_ text: String) -> Bool {
    let bytes = text.utf8
    guard 1...63 ~= bytes.count, bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-")
    else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
  }
}
