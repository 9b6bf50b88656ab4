public import Addressing

/// A network interface as the kernel describes it.
///
/// Kernel name: `struct ifinfomsg` and `IFLA_…`.
public struct Link: Hashable, Sendable {
  /// Its number in its namespace.
  public var index: UInt32
  /// Its name in its namespace.
  public var name: InterfaceName
  /// What it is: "veth", "bridge"; nil for hardware and loopback. `IFLA_INFO_KIND`
  public var kind: String?
  /// What it does.
  public var flags: LinkFlags
  /// The longest payload it carries, in bytes.
  ///
  /// The kernel allows more than ``MTU`` does, for
  /// example 65536 on loopback.
  public var mtu: Int
  /// Its Ethernet address; nil for links that have none or a longer one.
  public var hardwareAddress: HardwareAddress?
  /// How many packets may wait to be sent. `IFLA_TXQLEN`
  public var queueLength: UInt32?
  /// The bridge or other link it is a port of. `IFLA_MASTER`
  public var masterIndex: UInt32?
  /// The other end of a veth, or the link that this one stands on; its number counts in the
  /// namespace of ``peerNamespaceID``. `IFLA_LINK`
  public var peerIndex: UInt32?
  /// Which namespace the other end is in, as this namespace numbers others; nil if it is here.
  /// `IFLA_LINK_NETNSID`
  public var peerNamespaceID: Int32?
  /// Text that somebody hung on it. `IFLA_IFALIAS`
  public var alias: String?
  /// The group of links that it is in; 0 unless somebody puts it into another. `IFLA_GROUP`
  public var group: UInt32 = 0
  /// Whether it can carry frames.
  public var operationalState: OperationalState
  /// How it works if it is a bridge.
  public var bridge: BridgeSettings?
  /// How it works if it is the port of a bridge.
  public var bridgePort: BridgePortSettings?
  /// Its kind with what only that kind has, if it is macvlan, ipvlan, vlan, vrf or vxlan.
  public var settings: LinkKind?
  /// Whether it would take router advertisements in; nil where it has no IPv6. `accept_ra`
  public var hearsRouters: Bool?
}

extension Link {
  /// Describes an end of a veth pair that was just made, without asking for it.
  ///
  /// Reading a link waits for all who make or delete links at that moment, and makes the kernel notice
  /// at once that the other end is still off, which it would else never have had to. What the pair was
  /// made with is all there is to know.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - index: its number, as ``Netlink/NetlinkSocket/findIndex(named:)`` gives it.
  ///   - mtu: what it was made with; the kernel's default for Ethernet, 1500 bytes, if nil.
  ///   - hardwareAddress: what it was made with.
  public init(
    vethEnd name: InterfaceName, index: UInt32, mtu: MTU?, hardwareAddress: HardwareAddress
  ) {
    self.init(
      index: index, name: name, kind: "veth", flags: [], mtu: mtu?.bytes ?? 1500,
      hardwareAddress: hardwareAddress, operationalState: .unknown)
  }

  /// It is switched on.
  public var isUp: Bool { flags.contains(.up) }
}

/// How a bridge works; nil leaves a setting as it is.
public struct BridgeSettings: Hashable, Sendable {
  /// Frames are kept within their VLAN. `IFLA_BR_VLAN_FILTERING`
  public var filtersVLANs: Bool?
  /// The VLAN of frames without a tag on a new port, 1 if not set; 0 is none.
  /// `IFLA_BR_VLAN_DEFAULT_PVID`
  public var defaultVLAN: UInt16?
  /// It looks out for loops, so that a new port carries nothing for some seconds.
  /// `IFLA_BR_STP_STATE`
  public var spansTree: Bool?

  /// Makes settings; what is not given stays as the kernel has it.
  public init(filtersVLANs: Bool? = nil, defaultVLAN: UInt16? = nil, spansTree: Bool? = nil) {
    self.filtersVLANs = filtersVLANs
    self.defaultVLAN = defaultVLAN
    self.spansTree = spansTree
  }
}

/// How the port of a bridge works; nil leaves a setting as it is.
public struct BridgePortSettings: Hashable, Sendable {
  /// A frame may leave through the port it came in by. `IFLA_BRPORT_MODE`
  public var isHairpin: Bool?
  /// Isolated ports do not reach one another. `IFLA_BRPORT_ISOLATED`
  public var isIsolated: Bool?
  /// The bridge remembers who is behind the port. `IFLA_BRPORT_LEARNING`
  public var learns: Bool?

  /// Makes settings; what is not given stays as the kernel has it.
  public init(isHairpin: Bool? = nil, isIsolated: Bool? = nil, learns: Bool? = nil) {
    self.isHairpin = isHairpin
    self.isIsolated = isIsolated
    self.learns = learns
  }
}
