internal import CLinux

/// What a link does or is.
///
/// Kernel name: `IFF_…`.
public struct LinkFlags: OptionSet, Hashable, Sendable {
  /// The bits as the kernel has them.
  public let rawValue: UInt32

  /// Takes any bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Switched on. `IFF_UP`
  public static let up = LinkFlags(rawValue: UInt32(IFF_UP))
  /// The host talking to itself. `IFF_LOOPBACK`
  public static let loopback = LinkFlags(rawValue: UInt32(IFF_LOOPBACK))
  /// Has exactly one other end. `IFF_POINTOPOINT`
  public static let pointToPoint = LinkFlags(rawValue: UInt32(IFF_POINTOPOINT))
  /// Able to carry frames now. `IFF_RUNNING`
  public static let running = LinkFlags(rawValue: UInt32(IFF_RUNNING))
  /// Takes in frames for others. `IFF_PROMISC`
  public static let promiscuous = LinkFlags(rawValue: UInt32(IFF_PROMISC))
  /// Takes in frames for all groups. `IFF_ALLMULTI`
  public static let allMulticast = LinkFlags(rawValue: UInt32(IFF_ALLMULTI))
}

/// Whether a link can carry frames.
///
/// Kernel name: `IF_OPER_…`, RFC 2863.
public enum OperationalState: UInt8, Hashable, Sendable {
  /// The driver does not say; loopback and some virtual links stay so.
  case unknown = 0
  /// A part of it is missing.
  case notPresent = 1
  /// It carries nothing.
  case down = 2
  /// A link below it is down, as when a veth's other end is.
  case lowerLayerDown = 3
  /// It is being tested.
  case testing = 4
  /// It waits for an event from outside.
  case dormant = 5
  /// It carries frames.
  case up = 6
}
