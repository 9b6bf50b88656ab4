public import Addressing
public import Netlink

/// An address on a link.
///
/// Kernel name: `struct ifaddrmsg` and `IFA_…`.
public struct AddressEntry: Hashable, Sendable {
  /// Address and prefix length.
  public var address: InterfaceAddress
  /// The link that has it.
  public var linkIndex: UInt32
  /// How it is to be taken.
  public var flags: AddressFlags
  /// How far it means something.
  public var scope: RouteScope
  /// The other end's address, if the link leads to one host only. `IFA_ADDRESS`
  public var peer: IPAddress?
  /// Where to reach all hosts of its subnet. `IFA_BROADCAST`
  public var broadcast: IPv4Address?
  /// Who gave it to the link; kernels before 5.18 do not remember that. `IFA_PROTO`
  public var origin: AddressOrigin = .unspecified

  /// Describes an address as a plugin gives it to a link.
  ///
  /// - Parameters:
  ///   - address: with its prefix length; the broadcast address follows from it.
  ///   - linkIndex: the link to have it.
  ///   - flags: for example `withoutDuplicateDetection`.
  ///   - scope: how far it means something.
  public init(
    _ address: InterfaceAddress, onLink linkIndex: UInt32, flags: AddressFlags = [],
    scope: RouteScope = .universe
  ) {
    self.address = address
    self.linkIndex = linkIndex
    self.flags = flags
    self.scope = scope
    broadcast = address.broadcast
  }
}

/// Who gave an address to a link.
///
/// Kernel name: `IFAPROT_…`; every number above its own is free.
public struct AddressOrigin: RawRepresentable, Hashable, Sendable {
  /// The kernel's number.
  public let rawValue: UInt8

  /// Takes any number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Nobody has said. `IFAPROT_UNSPEC`
  public static let unspecified = AddressOrigin(rawValue: 0)
  /// The kernel, as a router has told it. `IFAPROT_KERNEL_RA`
  public static let kernelRouter = AddressOrigin(rawValue: 2)
  /// The kernel, for the link alone. `IFAPROT_KERNEL_LL`
  public static let kernelLinkLocal = AddressOrigin(rawValue: 3)
}

/// How an address is to be taken.
///
/// Kernel name: `IFA_F_…`.
public struct AddressFlags: OptionSet, Hashable, Sendable {
  /// The bits as the kernel has them.
  public let rawValue: UInt32

  /// Takes any bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Made to be used for a while, so that nobody is known by it. `IFA_F_TEMPORARY`
  public static let temporary = AddressFlags(rawValue: 0x01)
  /// Usable at once: nobody is asked whether it is taken. `IFA_F_NODAD`
  public static let withoutDuplicateDetection = AddressFlags(rawValue: 0x02)
  /// Usable while others are asked. `IFA_F_OPTIMISTIC`
  public static let optimistic = AddressFlags(rawValue: 0x04)
  /// Somebody else has it. `IFA_F_DADFAILED`
  public static let duplicate = AddressFlags(rawValue: 0x08)
  /// Not to be chosen for new connections, which IPv4 takes no notice of. `IFA_F_DEPRECATED`
  public static let deprecated = AddressFlags(rawValue: 0x20)
  /// Not usable yet: others are being asked. `IFA_F_TENTATIVE`
  public static let tentative = AddressFlags(rawValue: 0x40)
  /// Never runs out. `IFA_F_PERMANENT`
  public static let permanent = AddressFlags(rawValue: 0x80)
  /// Comes without a route to its subnet. `IFA_F_NOPREFIXROUTE`
  public static let withoutSubnetRoute = AddressFlags(rawValue: 0x200)
}

extension AddressEntry {
  /// Reads an address from a reply or an event; nil if it is neither.
  public init?(_ message: Message) {
    guard
      message.header.type == RequestType.newAddress
        || message.header.type == RequestType.deleteAddress,
      let family = message.fixed(at: 0).flatMap(IPFamily.init(number:)),
      let length: UInt8 = message.fixed(at: 1), let shortFlags: UInt8 = message.fixed(at: 2),
      let scope: UInt8 = message.fixed(at: 3), let linkIndex: UInt32 = message.fixed(at: 4)
    else { return nil }
    var local: IPAddress?
    var far: IPAddress?
    var broadcast: IPv4Address?
    var origin: UInt8 = 0
    var flags = AddressFlags(rawValue: UInt32(shortFlags))
    for attribute in message.attributes(after: AddressHeader.byteCount) {
      switch attribute.type {
      case AddressAttribute.local: local = attribute.address(family)
      case AddressAttribute.address: far = attribute.address(family)
      case AddressAttribute.broadcast:
        if case .v4(let address) = attribute.address(.v4) { broadcast = address }
      case AddressAttribute.origin: origin = attribute.uint8 ?? 0
      case AddressAttribute.flags:
        flags = attribute.uint32.map(AddressFlags.init(rawValue:)) ?? flags
      default: break
      }
    }
    // IPv6 gives IFA_ADDRESS alone unless there is another end.
    guard let own = local ?? far, let prefix = Prefix(Int(length), family) else { return nil }
    self.init(
      InterfaceAddress(address: own, prefix: prefix), onLink: linkIndex, flags: flags,
      scope: RouteScope(rawValue: scope))
    self.broadcast = broadcast
    self.origin = AddressOrigin(rawValue: origin)
    peer = far == own ? nil : far
  }
}

/// The fixed part of every message about an address.
///
/// Kernel name: `struct ifaddrmsg`.
struct AddressHeader {
  static let byteCount = 8

  var family: UInt8 = FamilyNumber.any
  var prefixLength: UInt8 = 0
  var scope: RouteScope = .universe
  var linkIndex: UInt32 = 0

  func write(to writer: inout AttributeWriter) {
    writer.fixed(family)
    writer.fixed(prefixLength)
    writer.fixed(UInt8(0))
    writer.fixed(scope.rawValue)
    writer.fixed(linkIndex)
  }
}
