internal import CLinux
internal import Netlink

/// How a link with a hardware address of its own works on another link.
public struct MACVLANSettings: Hashable, Sendable {
  /// Whom it reaches.
  public var mode: Mode
  /// How many broadcast and multicast frames may wait for it at once; nil for the kernel's default,
  /// or what another link on the same one asks for. `IFLA_MACVLAN_BC_QUEUE_LEN`
  public var broadcastQueueLength: UInt32?

  /// Makes settings.
  public init(_ mode: Mode, broadcastQueueLength: UInt32? = nil) {
    self.mode = mode
    self.broadcastQueueLength = broadcastQueueLength
  }

  /// Whom a link reaches of the others on the same one.
  ///
  /// Kernel name: `MACVLAN_MODE_…`.
  public enum Mode: Hashable, Sendable {
    /// Nobody. `MACVLAN_MODE_PRIVATE`
    case isolated
    /// Those to whom the switch outside sends its frames back. `MACVLAN_MODE_VEPA`
    case reflected
    /// All of them. `MACVLAN_MODE_BRIDGE`
    case bridge
    /// There are no others; it has the hardware address of the link it stands on.
    /// `MACVLAN_MODE_PASSTHRU`
    case passThrough
    /// Only frames from some addresses reach it. `MACVLAN_MODE_SOURCE`
    case source
  }
}

extension MACVLANSettings {
  /// The kernel's name for the kind.
  static let kindName = "macvlan"

  func write(to writer: inout AttributeWriter) {
    writer.uint32(StackedAttribute.macvlanMode, mode.number)
    if let broadcastQueueLength {
      writer.uint32(StackedAttribute.broadcastQueueLength, broadcastQueueLength)
    }
  }

  /// Nil without a mode that has a name here.
  init?(reading attributes: AttributeReader?) {
    guard let number = attributes?[StackedAttribute.macvlanMode]?.uint32,
      let mode = Mode(number: number)
    else { return nil }
    self.init(
      mode, broadcastQueueLength: attributes?[StackedAttribute.broadcastQueueLength]?.uint32)
  }
}

extension MACVLANSettings.Mode {
  fileprivate var number: UInt32 {
    switch self {
    case .isolated: MACVLAN_MODE_PRIVATE.rawValue
    case .reflected: MACVLAN_MODE_VEPA.rawValue
    case .bridge: MACVLAN_MODE_BRIDGE.rawValue
    case .passThrough: MACVLAN_MODE_PASSTHRU.rawValue
    case .source: MACVLAN_MODE_SOURCE.rawValue
    }
  }

  fileprivate init?(number: UInt32) {
    let all: [Self] = [.isolated, .reflected, .bridge, .passThrough, .source]
    guard let mode = all.first(where: { $0.number == number }) else { return nil }
    self = mode
  }
}
