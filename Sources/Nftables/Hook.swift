internal import CLinux

/// Where packets enter a chain, and in which order among the chains that stand there.
public struct Hook: Hashable, Sendable {
  /// What the chain may do.
  public let kind: Kind
  /// At which place on a packet's way it stands.
  public let place: Place
  /// Lower comes first.
  public let priority: Priority

  /// Describes a hook.
  public init(_ kind: Kind, at place: Place, priority: Priority) {
    self.kind = kind
    self.place = place
    self.priority = priority
  }

  /// What a chain may do. `NFTA_CHAIN_TYPE`
  public enum Kind: String, Hashable, Sendable {
    /// Accept and drop.
    case filter
    /// Translate addresses; sees the first packet of each connection only.
    case nat
  }

  /// A place on a packet's way. `enum nf_inet_hooks`
  public enum Place: Hashable, Sendable {
    case prerouting, input, forward, output, postrouting

    /// The kernel's number, the same for addresses and for bridges.
    var number: UInt32 {
      switch self {
      case .prerouting: NF_INET_PRE_ROUTING.rawValue
      case .input: NF_INET_LOCAL_IN.rawValue
      case .forward: NF_INET_FORWARD.rawValue
      case .output: NF_INET_LOCAL_OUT.rawValue
      case .postrouting: NF_INET_POST_ROUTING.rawValue
      }
    }

    /// The place of this number; nil for one that this module has no word for.
    init?(number: UInt32) {
      let all: [Place] = [.prerouting, .input, .forward, .output, .postrouting]
      guard let place = all.first(where: { $0.number == number }) else { return nil }
      self = place
    }
  }

  /// The order among chains at one place.
  public struct Priority: Hashable, Sendable {
    /// The kernel's number.
    public let value: Int32

    /// Takes any number.
    public init(_ value: Int32) {
      self.value = value
    }

    /// `srcnat`, after routing. `NF_IP_PRI_NAT_SRC`
    public static let sourceNAT = Priority(100)
    /// `dstnat`, before routing. `NF_IP_PRI_NAT_DST`
    public static let destinationNAT = Priority(-100)
    /// `raw`, before connections are looked up. `NF_IP_PRI_RAW`
    public static let raw = Priority(-300)
    /// `filter`. `NF_IP_PRI_FILTER`
    public static let filter = Priority(0)
    /// `filter` of a bridge. `NF_BR_PRI_FILTER_BRIDGED`
    public static let bridgeFilter = Priority(-200)
    /// `dstnat` of a bridge, the first of its usual places. `NF_BR_PRI_NAT_DST_BRIDGED`
    public static let bridgeDestinationNAT = Priority(-300)
  }
}
