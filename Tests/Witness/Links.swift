import CLinux
import Glibc

/// A link as the kernel describes it.
public struct SeenLink: Hashable, Sendable {
  /// Its number in this namespace.
  public let index: UInt32
  /// Its name in this namespace.
  public let name: String
  /// `veth`, `bridge`, …; nil for what has no kind, such as loopback.
  public let kind: String?
  /// The IFF_ bits.
  public let flags: UInt32
  /// Largest payload, in bytes.
  public let mtu: UInt32
  /// The hardware address, as `02:00:5e:00:00:01`; empty when the link has none.
  public let hardwareAddress: String
  /// The bridge or other link that this one is a port of, by index.
  public let master: UInt32?
  /// The other end of a pair, or the link below a VLAN, by index in its own namespace.
  public let peer: UInt32?
  /// The number under which this namespace knows the peer's; nil when it is this one.
  public let peerNamespace: Int32?
  /// The text set as alias.
  public let alias: String?
  /// IF_OPER_: 0 unknown, 2 down, 3 lower layer down, 6 up.
  public let operationalState: UInt8
  /// How many packets may wait to be sent.
  public let queueLength: UInt32
  /// How many have asked for promiscuous mode.
  public let promiscuity: UInt32
  /// The identifier of a link of kind `vlan`.
  public let vlanID: UInt16?
  /// MACVLAN_MODE_ of a link of kind `macvlan`: 1 private, 2 vepa, 4 bridge, 8 passthru.
  public let macvlanMode: UInt32?
  /// How many broadcasts a link of kind `macvlan` asks to have queued.
  public let broadcastQueueLength: UInt32?
  /// IPVLAN_MODE_ of a link of kind `ipvlan`: 0 l2, 1 l3, 2 l3s.
  public let ipvlanMode: UInt16?
  /// IPVLAN_F_ of a link of kind `ipvlan`: 1 private, 2 vepa.
  public let ipvlanFlags: UInt16?
  /// The table of the ports of a link of kind `vrf`.
  public let vrfTable: UInt32?
  /// The settings of a link of kind `vxlan`.
  public let vxlan: SeenTunnel?
  /// The settings of a link of kind `bridge`.
  public let bridge: SeenBridge?
  /// The settings of a port of a bridge.
  public let port: SeenBridgePort?
  /// The settings of a link of kind `tun`.
  public let tap: SeenTap?

  /// Whether the link is administratively up.
  public var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
  /// Whether somebody has switched promiscuous mode on.
  public var isPromiscuous: Bool { flags & UInt32(IFF_PROMISC) != 0 }
  /// Whether somebody has asked for the frames of all groups.
  public var takesAllMulticast: Bool { flags & UInt32(IFF_ALLMULTI) != 0 }
  /// Whether the link is known to carry traffic.
  public var isRunning: Bool { operationalState == 6 }
}

/// The settings of a bridge.
public struct SeenBridge: Hashable, Sendable {
  /// Whether ports are kept apart by VLAN.
  public let filtersVLANs: Bool
  /// The VLAN that a new port gets; 0 for none.
  public let defaultVLAN: UInt16
  /// Whether the spanning tree protocol runs.
  public let runsSpanningTree: Bool
  /// Whether the bridge listens to group membership.
  public let snoopsMulticast: Bool
}

/// The settings of a port of a bridge.
public struct SeenBridgePort: Hashable, Sendable {
  /// Whether frames may leave where they came in.
  public let hairpin: Bool
  /// Whether isolated ports are unreachable from here.
  public let isolated: Bool
  /// Whether source addresses are learnt.
  public let learning: Bool
  /// Whether frames to unknown addresses are sent here.
  public let floodsUnicast: Bool
  /// BR_STATE_: 0 disabled, 3 forwarding.
  public let state: UInt8
}

/// The settings of a link that a program serves.
public struct SeenTap: Hashable, Sendable {
  /// Whether it carries frames; else it carries packets.
  public let isTap: Bool
  /// The user that may serve it; nil for whoever has the privilege.
  public let owner: UInt32?
  /// The group that may serve it.
  public let group: UInt32?
  /// Whether it stays when nobody serves it.
  public let isPersistent: Bool
  /// Whether several programs or threads may serve it.
  public let hasManyQueues: Bool
  /// Whether frames come with a header for offloading.
  public let hasVirtualHeader: Bool
  /// Whether frames come with four bytes about the packet.
  public let hasPacketInformation: Bool
}

/// Every link of the calling thread's network namespace.
public func links() throws(WitnessError) -> [SeenLink] {
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: SeenLink.question)
  return try Interrogation.payloads(of: SeenLink.answer(of: kernel)).map { SeenLink($0) }
}

/// The link of this name; nil if there is none.
public func link(named name: String) throws(WitnessError) -> SeenLink? {
  try links().first { $0.name == name }
}

extension SeenLink {
  static let question = "list links"

  /// The kernel's answer, without its counters.
  static func answer(of kernel: borrowing Interrogation) throws(WitnessError) -> [UInt8] {
    let header = [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size)
    // RTEXT_FILTER_SKIP_STATS of IFLA_EXT_MASK.
    return try kernel.answer(
      RTM_GETLINK, header: header, attributes: [(IFLA_EXT_MASK, [8, 0, 0, 0])], for: question)
  }

  init(_ message: [UInt8]) {
    let attributes = Attributes(message, from: MemoryLayout<ifinfomsg>.size)
    let info = attributes.nest(IFLA_LINKINFO)
    let data = info.nest(IFLA_INFO_DATA)
    index = message.number(at: 4) ?? 0
    flags = message.number(at: 8) ?? 0
    name = attributes.text(IFLA_IFNAME) ?? ""
    kind = info.text(IFLA_INFO_KIND)
    mtu = attributes.number(IFLA_MTU) ?? 0
    hardwareAddress = AddressText.ofHardware(attributes[IFLA_ADDRESS] ?? [])
    master = attributes.number(IFLA_MASTER)
    peer = attributes.number(IFLA_LINK)
    peerNamespace = attributes.number(IFLA_LINK_NETNSID, as: UInt32.self)
      .map(Int32.init(bitPattern:))
    alias = attributes.text(IFLA_IFALIAS)
    operationalState = attributes.number(IFLA_OPERSTATE) ?? 0
    queueLength = attributes.number(IFLA_TXQLEN) ?? 0
    promiscuity = attributes.number(IFLA_PROMISCUITY) ?? 0
    vlanID = kind == "vlan" ? data.number(IFLA_VLAN_ID) : nil
    macvlanMode = kind == "macvlan" ? data.number(IFLA_MACVLAN_MODE) : nil
    broadcastQueueLength = kind == "macvlan" ? data.number(IFLA_MACVLAN_BC_QUEUE_LEN) : nil
    ipvlanMode = kind == "ipvlan" ? data.number(IFLA_IPVLAN_MODE) : nil
    ipvlanFlags = kind == "ipvlan" ? data.number(IFLA_IPVLAN_FLAGS) : nil
    vrfTable = kind == "vrf" ? data.number(IFLA_VRF_TABLE) : nil
    vxlan = kind == "vxlan" ? SeenTunnel(data) : nil
    bridge = kind == "bridge" ? SeenBridge(data) : nil
    let isPort = info.text(IFLA_INFO_SLAVE_KIND) == "bridge"
    tap = kind == "tun" ? SeenTap(data) : nil
    port = isPort ? SeenBridgePort(info.nest(IFLA_INFO_SLAVE_DATA)) : nil
  }
}

/// What a tunnel through UDP is set to.
public struct SeenTunnel: Hashable, Sendable {
  /// The network's number.
  public let identifier: UInt32
  /// The address that packets leave from.
  public let local: String?
  /// The port that packets go to.
  public let port: UInt16
  /// Whether it remembers where addresses were seen.
  public let learns: Bool
  /// The link that all packets leave by.
  public let link: UInt32?

  init(_ data: Attributes) {
    identifier = data.number(IFLA_VXLAN_ID) ?? 0
    local = (data[IFLA_VXLAN_LOCAL] ?? data[IFLA_VXLAN_LOCAL6]).map(AddressText.of)
    port = UInt16(bigEndian: data.number(IFLA_VXLAN_PORT) ?? 0)
    learns = data.number(IFLA_VXLAN_LEARNING, as: UInt8.self) == 1
    link = data.number(IFLA_VXLAN_LINK)
  }
}

extension SeenBridge {
  init(_ data: Attributes) {
    filtersVLANs = data.number(IFLA_BR_VLAN_FILTERING, as: UInt8.self) == 1
    defaultVLAN = data.number(IFLA_BR_VLAN_DEFAULT_PVID) ?? 0
    runsSpanningTree = data.number(IFLA_BR_STP_STATE, as: UInt32.self) != 0
    snoopsMulticast = data.number(IFLA_BR_MCAST_SNOOPING, as: UInt8.self) == 1
  }
}

extension SeenTap {
  init(_ data: Attributes) {
    func isOn(_ type: Int) -> Bool { data.number(type, as: UInt8.self) == 1 }
    isTap = data.number(IFLA_TUN_TYPE, as: UInt8.self) == UInt8(IFF_TAP)
    owner = data.number(IFLA_TUN_OWNER)
    group = data.number(IFLA_TUN_GROUP)
    isPersistent = isOn(IFLA_TUN_PERSIST)
    hasManyQueues = isOn(IFLA_TUN_MULTI_QUEUE)
    hasVirtualHeader = isOn(IFLA_TUN_VNET_HDR)
    hasPacketInformation = isOn(IFLA_TUN_PI)
  }
}

extension SeenBridgePort {
  init(_ data: Attributes) {
    hairpin = data.number(IFLA_BRPORT_MODE, as: UInt8.self) == 1
    isolated = data.number(IFLA_BRPORT_ISOLATED, as: UInt8.self) == 1
    learning = data.number(IFLA_BRPORT_LEARNING, as: UInt8.self) == 1
    floodsUnicast = data.number(IFLA_BRPORT_UNICAST_FLOOD, as: UInt8.self) == 1
    state = data.number(IFLA_BRPORT_STATE) ?? 0
  }
}
