public import Addressing
internal import CLinux

/// A room of rules, sets and maps that is made, listed and deleted as one.
public struct Table: Hashable, Sendable {
  /// Whose packets its chains can see.
  public let family: Family
  /// Its name; up to 255 bytes.
  public let name: String
  /// What `nft list ruleset` shows beside the name; up to 127 bytes.
  public let comment: String?

  /// Names a table; nothing is made yet.
  public init(family: Family, name: String, comment: String? = nil) {
    self.family = family
    self.name = name
    self.comment = comment
  }

  /// Whose packets the chains of a table can see.
  ///
  /// Kernel name: `NFPROTO_…`.
  public enum Family: Hashable, Sendable {
    /// IPv4 and IPv6 alike.
    case inet
    case ipv4
    case ipv6
    /// Frames that pass a bridge.
    case bridge

    /// The kernel's number.
    var number: UInt8 {
      switch self {
      case .inet: UInt8(NFPROTO_INET)
      case .ipv4: UInt8(NFPROTO_IPV4)
      case .ipv6: UInt8(NFPROTO_IPV6)
      case .bridge: UInt8(NFPROTO_BRIDGE)
      }
    }

    /// The family of this number; nil for one that this module has no word for.
    init?(number: UInt8) {
      let all: [Family] = [.inet, .ipv4, .ipv6, .bridge]
      guard let family = all.first(where: { $0.number == number }) else { return nil }
      self = family
    }

    /// The name as `nft` writes it.
    public var text: String {
      switch self {
      case .inet: "inet"
      case .ipv4: "ip"
      case .ipv6: "ip6"
      case .bridge: "bridge"
      }
    }
  }
}

extension Table: CustomStringConvertible {
  /// Family and name as `nft` writes them: `inet swift_cni`.
  public var description: String { "\(family.text) \(name)" }
}

extension IPFamily {
  /// The same in the packet filter's words.
  public var table: Table.Family { self == .v4 ? .ipv4 : .ipv6 }

  /// As it appears in the names of sets and chains of ours.
  public var shortName: String { self == .v4 ? "v4" : "v6" }

  /// What nft calls its addresses.
  public var dataType: DataType { self == .v4 ? .ipv4Address : .ipv6Address }
}
