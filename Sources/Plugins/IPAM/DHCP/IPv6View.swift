internal import Addressing
internal import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// What the kernel has of IPv6 on an interface.
struct IPv6View {
  /// All addresses, whatever becomes of them.
  private let addresses: [AddressEntry]
  /// The routes beyond the link-local network.
  let learnedRoutes: [RouteEntry]

  /// Looks, through a socket that was opened inside.
  init(
    _ link: Link, _ socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    do throws(NetlinkError) {
      addresses = try socket.addresses(ofLink: link.index, family: .v6)
      learnedRoutes = try socket.routes(family: .v6, linkIndex: link.index)
        .filter { !$0.destination.first.isLinkLocal && !$0.destination.first.isMulticast }
    } catch {
      throw ProtocolError(error)
    }
  }

  /// How far an address has come.
  enum Standing {
    /// It is not there.
    case absent
    /// Others are still being asked whether they have it.
    case tentative
    /// Another host has it.
    case duplicate
    /// It can be used.
    case usable
  }

  /// How far an address has come.
  func standing(of address: IPAddress) -> Standing {
    addresses.first { $0.address.address == address }.map(\.standing) ?? .absent
  }

  /// The interface's own address on its link.
  var linkLocal: AddressEntry? {
    addresses.first { $0.address.address.isLinkLocal && $0.standing == .usable }
      ?? addresses.first { $0.address.address.isLinkLocal }
  }

  /// The addresses that the kernel has made of routers' announcements.
  var learned: [AddressEntry] {
    addresses.filter { $0.scope == .universe && !$0.flags.contains(.permanent) }
  }

  /// Those of them by which the host is to be known.
  var announced: [AddressEntry] {
    learned.filter { !$0.flags.contains(.temporary) && !$0.flags.contains(.deprecated) }
  }

  /// The router for everything else.
  var router: IPAddress? {
    learnedRoutes.first { $0.destination.isEverything && $0.gateway != nil }?.gateway
  }

  /// A server's address with the prefix that routers have said to be on the link, or alone.
  func onLink(_ address: IPv6Address) -> InterfaceAddress {
    let address = IPAddress.v6(address)
    let subnets = learnedRoutes.filter {
      $0.gateway == nil && 1..<128 ~= $0.destination.prefix.length
    }
    let prefix = subnets.first { $0.destination.contains(address) }?.destination.prefix
    return InterfaceAddress(address: address, prefix: prefix ?? .host(.v6))
  }
}

extension AddressEntry {
  /// How far it has come.
  var standing: IPv6View.Standing {
    // One that is taken stays tentative for ever.
    if flags.contains(.duplicate) { return .duplicate }
    return flags.contains(.tentative) ? .tentative : .usable
  }
}
