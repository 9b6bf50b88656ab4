public import Addressing
public import Linux

/// What kind of link is to be made, and what only that kind has.
public enum LinkKind: Hashable, Sendable {
  /// A pair of links; what goes in at one end comes out at the other.
  case veth(peer: VethPeer)
  /// A switch, of which other links are ports.
  case bridge(BridgeSettings)
  /// A queue on the way of what comes in by another link: packets are redirected into it, wait as
  /// if they were to leave by it, and then go on where they came in.
  case intermediateQueue
  /// A link that loses whatever is sent by it.
  case dummy
  /// A link with a hardware address of its own on another link.
  case macvlan(MACVLANSettings)
  /// A link that shares the hardware address of another one, and is told apart by its IP addresses.
  case ipvlan(IPVLANSettings)
  /// A link whose ports look in a routing table of their own. `IFLA_VRF_TABLE`
  case vrf(RouteTable)
  /// One VLAN of another link, 0 to 4094, whose frames bear its number there. IEEE 802.1Q
  case vlan(UInt16)
  /// A link whose frames travel in UDP packets to other hosts. RFC 7348
  case vxlan(VXLANSettings)
}

/// The other end of a pair that is to be made.
public struct VethPeer: Hashable, Sendable {
  /// Its name in the namespace where it is born.
  public var name: InterfaceName
  /// The longest payload it carries; the kernel's default if nil.
  public var mtu: MTU?
  /// Its Ethernet address; made up by the kernel if nil.
  public var hardwareAddress: HardwareAddress?
  /// How many queues each end of the pair has for each direction; as many as the host can have
  /// processors if nil.
  ///
  /// A pair hands packets over on the processor that sends them, so it needs but one queue unless a
  /// program attached to it spreads them (XDP). Each further one costs a directory in sysfs: on two
  /// processors, one queue halves the time of the create message, on more it saves more. The number
  /// cannot be raised afterwards.
  ///
  /// Kernel name: `IFLA_NUM_TX_QUEUES`, `IFLA_NUM_RX_QUEUES`.
  public var queueCount: UInt32? = 1
  /// Where it is born; in the socket's namespace if nil.
  ///
  /// The number of an open descriptor: the namespace must stay open until the message is sent.
  package var namespaceDescriptor: Int32?

  /// Describes an end that is born in the socket's namespace.
  public init(
    name: InterfaceName, mtu: MTU? = nil, hardwareAddress: HardwareAddress? = nil
  ) {
    self.name = name
    self.mtu = mtu
    self.hardwareAddress = hardwareAddress
  }

  /// Describes an end that is born in another namespace, which must stay open until then.
  public init(
    name: InterfaceName, bornIn namespace: borrowing NetworkNamespace, mtu: MTU? = nil,
    hardwareAddress: HardwareAddress? = nil
  ) {
    self.init(name: name, mtu: mtu, hardwareAddress: hardwareAddress)
    namespaceDescriptor = namespace.descriptor.rawValue
  }
}
