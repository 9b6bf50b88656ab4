public import Addressing
public import Netlink

/// Which Ethernet address an IP address has on a link.
///
/// Kernel name: `struct ndmsg` and `NDA_…`.
public struct NeighbourEntry: Hashable, Sendable {
  /// The neighbour.
  public var address: IPAddress
  /// The link it is on.
  public var linkIndex: UInt32
  /// Its Ethernet address; nil while it is not known.
  public var hardwareAddress: HardwareAddress?
  /// How sure that is.
  public var state: NeighbourState
  /// Who made it; nobody says if nil. `NDA_PROTOCOL`
  public var origin: RouteOrigin?

  /// Describes a neighbour.
  public init(
    _ address: IPAddress, onLink linkIndex: UInt32, hardwareAddress: HardwareAddress? = nil,
    state: NeighbourState = .permanent, origin: RouteOrigin? = nil
  ) {
    self.address = address
    self.linkIndex = linkIndex
    self.hardwareAddress = hardwareAddress
    self.state = state
    self.origin = origin
  }
}

/// How sure the kernel is of a neighbour.
///
/// Kernel name: `NUD_…`.
public struct NeighbourState: OptionSet, Hashable, Sendable {
  /// The bits as the kernel has them.
  public let rawValue: UInt16

  /// Takes any bits.
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// Lately confirmed. `NUD_REACHABLE`
  public static let reachable = NeighbourState(rawValue: 0x02)
  /// To be confirmed at the next use. `NUD_STALE`
  public static let stale = NeighbourState(rawValue: 0x04)
  /// Asked for in vain. `NUD_FAILED`
  public static let failed = NeighbourState(rawValue: 0x20)
  /// Never to be confirmed. `NUD_PERMANENT`
  public static let permanent = NeighbourState(rawValue: 0x80)
}

extension NeighbourEntry {
  /// Reads a neighbour from a reply or an event; nil if it is neither, or not an IP neighbour.
  public init?(_ message: Message) {
    guard
      message.header.type == RequestType.newNeighbour
        || message.header.type == RequestType.deleteNeighbour,
      let family = message.fixed(at: 0).flatMap(IPFamily.init(number:)),
      let linkIndex: UInt32 = message.fixed(at: 4), let state: UInt16 = message.fixed(at: 8)
    else { return nil }
    let attributes = message.attributes(after: NeighbourHeader.byteCount)
    guard let address = attributes[NeighbourAttribute.address]?.address(family) else { return nil }
    self.init(
      address, onLink: linkIndex,
      hardwareAddress: attributes[NeighbourAttribute.hardwareAddress].flatMap {
        HardwareAddress(bytes: $0.bytes)
      }, state: NeighbourState(rawValue: state),
      origin: attributes[NeighbourAttribute.origin]?.uint8.map(RouteOrigin.init(rawValue:)))
  }
}

/// The fixed part of every message about a neighbour.
///
/// Kernel name: `struct ndmsg`.
struct NeighbourHeader {
  static let byteCount = 12

  var family: UInt8 = FamilyNumber.any
  var linkIndex: UInt32 = 0
  var state: NeighbourState = []
  /// Whose entry it is. `NTF_…`
  var flags: UInt8 = 0

  func write(to writer: inout AttributeWriter) {
    writer.fixed(family)
    writer.fixed(UInt8(0))
    writer.fixed(UInt16(0))
    writer.fixed(linkIndex)
    writer.fixed(state.rawValue)
    writer.fixed(flags)
    writer.fixed(UInt8(0))
  }
}
