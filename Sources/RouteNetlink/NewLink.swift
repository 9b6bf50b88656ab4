public import Addressing
public import Linux

/// A link that is to be made, with everything that its first message can say.
public struct NewLink: Hashable, Sendable {
  /// Its name in the namespace where it is born.
  public var name: InterfaceName
  /// What it is.
  public var kind: LinkKind
  /// The longest payload it carries; the kernel's default if nil.
  public var mtu: MTU?
  /// Its Ethernet address; made up by the kernel if nil.
  public var hardwareAddress: HardwareAddress?
  /// The bridge it is a port of from birth.
  public var master: UInt32?
  /// The link of the socket's namespace that it stands on. `IFLA_LINK`
  public var lower: UInt32?
  /// The group of links that it is in from birth; an alias it cannot be given yet. `IFLA_GROUP`
  public var group: UInt32?
  /// Flags to be born with, for example `up`.
  public var flags: LinkFlags
  /// Where it is born; in the socket's namespace if nil.
  ///
  /// The number of an open descriptor: the namespace must stay open until the message is sent.
  package var namespaceDescriptor: Int32?

  /// Describes a link to be made.
  public init(
    _ name: InterfaceName, _ kind: LinkKind, mtu: MTU? = nil,
    hardwareAddress: HardwareAddress? = nil, master: UInt32? = nil, group: UInt32? = nil,
    flags: LinkFlags = []
  ) {
    self.name = name
    self.kind = kind
    self.mtu = mtu
    self.hardwareAddress = hardwareAddress
    self.master = master
    self.group = group
    self.flags = flags
  }

  /// Says that it is born in another namespace, which must stay open until the message is sent.
  ///
  /// Before Linux 6.14 the kernel refuses a name that a link of the socket's namespace has, with
  /// `EEXIST`, even though the new link is born elsewhere.
  public mutating func place(in namespace: borrowing NetworkNamespace) {
    namespaceDescriptor = namespace.descriptor.rawValue
  }
}

/// Which link is meant.
public enum LinkReference: Hashable, Sendable, CustomStringConvertible {
  /// By its number.
  case index(UInt32)
  /// By its name.
  case name(InterfaceName)

  /// The name, or "#" and the number.
  public var description: String {
    switch self {
    case .index(let index): "#\(index)"
    case .name(let name): name.text
    }
  }
}

/// What is to become different about a link; nil leaves it as it is.
public struct LinkChange: Hashable, Sendable {
  /// Which link.
  public var link: LinkReference
  /// A new name; needs a reference by number.
  public var name: InterfaceName?
  /// The longest payload it carries.
  public var mtu: MTU?
  /// Its Ethernet address.
  public var hardwareAddress: HardwareAddress?
  /// The bridge it is to be a port of; 0 for none.
  public var master: UInt32?
  /// Switched on or off.
  public var isUp: Bool?
  /// Takes in frames for others.
  public var isPromiscuous: Bool?
  /// Takes in frames for all groups.
  public var takesAllMulticast: Bool?
  /// How many packets may wait to be sent.
  public var queueLength: UInt32?
  /// Text to hang on it; empty takes it off.
  public var alias: String?
  /// The group of links that it is to be in; 0 is the one of all others. `IFLA_GROUP`
  public var group: UInt32?
  /// Settings, if it is a bridge.
  public var bridge: BridgeSettings?
  /// Settings, if it is a bridge's port already before this change.
  public var bridgePort: BridgePortSettings?
  /// Whether the kernel announces its IPv4 addresses each time it comes up or gets another hardware
  /// address. `arp_notify`
  public var announcesAddresses: Bool?
  /// Whether the kernel gives it a link-local address, now if it is up or when it comes up.
  ///
  /// Refused with `EAFNOSUPPORT` where the link has no IPv6. `IFLA_INET6_ADDR_GEN_MODE`
  public var hasLinkLocalAddress: Bool?
  /// Where it is to go; the number of a descriptor that stays open until the message is sent.
  package var namespaceDescriptor: Int32?

  /// Describes a change that changes nothing yet.
  public init(_ link: LinkReference) {
    self.link = link
  }

  /// Moves the link to another namespace, which must stay open until the message is sent.
  ///
  /// All else that the change says is done there, in the same message: a link takes on its new name
  /// where it comes to. So it may have a name that is taken there until then, or a new one that is
  /// taken where it comes from. It is switched off by the move, and gets a new number if its own is
  /// taken.
  ///
  /// If the new name is taken there, the move may have been made all the same when this is refused.
  public mutating func move(to namespace: borrowing NetworkNamespace) {
    namespaceDescriptor = namespace.descriptor.rawValue
  }
}
