internal import Netlink

/// How a link works that shares the hardware address of the link it stands on.
public struct IPVLANSettings: Hashable, Sendable {
  /// Where frames are told apart; the same for all links on one.
  public var mode: Mode
  /// Whom it reaches of the others on the same link; the same for all of them.
  public var reach: Reach

  /// Makes settings.
  public init(_ mode: Mode, reach: Reach = .bridge) {
    self.mode = mode
    self.reach = reach
  }

  /// Where frames are told apart.
  ///
  /// Kernel name: `IPVLAN_MODE_…`.
  public enum Mode: UInt16, Hashable, Sendable, CaseIterable {
    /// As on one network of layer 2; neighbours are asked for. `IPVLAN_MODE_L2`
    case l2 = 0
    /// The host routes for it, and it hears no broadcast. `IPVLAN_MODE_L3`
    case l3 = 1
    /// As ``l3``, with the host's packet filter in the way. `IPVLAN_MODE_L3S`
    case l3s = 2
  }

  /// Whom a link reaches of the others on the same one.
  ///
  /// Kernel name: `IPVLAN_F_…`.
  public enum Reach: UInt16, Hashable, Sendable {
    /// All of them.
    case bridge = 0
    /// Nobody. `IPVLAN_F_PRIVATE`
    case isolated = 1
    /// Those to whom the switch outside sends its frames back. `IPVLAN_F_VEPA`
    case reflected = 2
  }
}

extension IPVLANSettings {
  /// The kernel's name for the kind.
  static let kindName = "ipvlan"

  func write(to writer: inout AttributeWriter) {
    writer.uint16(StackedAttribute.ipvlanMode, mode.rawValue)
    if reach != .bridge { writer.uint16(StackedAttribute.ipvlanFlags, reach.rawValue) }
  }

  /// Nil without a mode that has a name here.
  init?(reading attributes: AttributeReader?) {
    guard let mode = attributes?[StackedAttribute.ipvlanMode]?.uint16.flatMap(Mode.init) else {
      return nil
    }
    let reach = attributes?[StackedAttribute.ipvlanFlags]?.uint16.flatMap(Reach.init)
    self.init(mode, reach: reach ?? .bridge)
  }
}
