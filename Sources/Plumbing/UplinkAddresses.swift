public import Addressing
internal import Linux
public import Netlink
public import RouteNetlink

/// Addresses that hosts outside use, on the link by which they reach this one.
///
/// Each is there by itself, without a network around it. The host's own connections never take one as
/// their source: IPv4 addresses count for the host alone, IPv6 addresses are deprecated. Neighbours are
/// told of them, and the kernel answers those who ask.
public struct UplinkAddresses: Sendable {
  private let wanted: Set<IPAddress>
  private let former: Set<IPAddress>
  private let link: InterfaceName?

  /// Who puts addresses there, as the kernel shows it: `proto 0xc4`.
  public static let origin = AddressOrigin(rawValue: ServiceRoutes.origin.rawValue)

  /// Makes the uplink have these addresses and no others of ours, in the namespace that the thread
  /// stands in.
  ///
  /// Ours that are not wanted go, from whatever link they are on; those of others stay, and do as well
  /// where one is wanted. Where a family has no uplink, what is there stays.
  ///
  /// - Parameters:
  ///   - wanted: the addresses.
  ///   - former: those that this host may have put there before; only kernels before 5.18 need to be
  ///     told.
  ///   - link: the uplink; that of the default route of each family if nil.
  ///   - announcesAll: whether neighbours are told of all of them again, or only of new ones.
  /// - Returns: what stands in the way, a sentence each.
  /// - Throws: `NetlinkError` if nothing can be told.
  public static func settle(
    _ wanted: Set<IPAddress>, former: Set<IPAddress>, by link: InterfaceName?,
    announcingAll announcesAll: Bool
  ) throws(NetlinkError) -> [String] {
    try UplinkAddresses(wanted: wanted, former: former, link: link)
      .settle(announcingAll: announcesAll)
  }

  private func settle(announcingAll announcesAll: Bool) throws(NetlinkError) -> [String] {
    let socket = try NetlinkSocket<RouteFamily>()
    let present = try socket.addresses()
    var problems: [String] = []
    var news: [Announced] = []
    for family in IPFamily.allCases {
      let present = present.filter { $0.address.address.family == family }
      let wanted = wanted.filter { $0.family == family }
      let ours = present.filter { isOurs($0, among: present) }
      guard !wanted.isEmpty || !ours.isEmpty else { continue }
      let uplink = wanted.isEmpty ? nil : try findUplink(family, on: socket)
      if uplink == nil, !wanted.isEmpty { problems.append(problem(of: wanted, family)) }
      for entry in ours
      where !wanted.contains(entry.address.address)
        || uplink.map({ $0.index != entry.linkIndex }) ?? false
      {
        try remove(entry, on: socket)
      }
      guard let uplink else { continue }
      for address in wanted.sorted() {
        let isThere = present.contains {
          $0.linkIndex == uplink.index && $0.address.address == address
        }
        do {
          if !isThere { try add(address, to: uplink, on: socket) }
          if !isThere || announcesAll { news.append(Announced(address: address, link: uplink)) }
        } catch {
          problems.append("\(address) is not on \(uplink.name): \(error)")
        }
      }
    }
    return problems + Self.announce(news)
  }

  /// An address to be announced by a link.
  private struct Announced {
    let address: IPAddress
    let link: Link
  }

  /// Whether this host has put an address there for this.
  ///
  /// A kernel that does not remember who did tells none of any; there it is one of those before, as we
  /// make them.
  private func isOurs(_ entry: AddressEntry, among all: [AddressEntry]) -> Bool {
    if entry.origin != .unspecified { return entry.origin == Self.origin }
    return former.contains(entry.address.address) && all.allSatisfy { $0.origin == .unspecified }
      && entry.address.prefix == .host(entry.address.address.family)
      && entry.flags.contains(.withoutSubnetRoute)
  }

  private func findUplink(
    _ family: IPFamily, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> Link? {
    guard let link else {
      guard let index = try NodeAddresses.exit(family, on: socket)?.linkIndex else { return nil }
      return try socket.findLink(.index(index))
    }
    return try socket.findLink(named: link)
  }

  private func problem(of addresses: Set<IPAddress>, _ family: IPFamily) -> String {
    let texts = addresses.sorted().map(\.description).joined(separator: ", ")
    if let link { return "there is no link \(link), so neighbours cannot find \(texts)" }
    return "there is no default route of \(family), so no link is known by which neighbours could "
      + "find \(texts)"
  }

  private func add(
    _ address: IPAddress, to link: Link, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    var entry = AddressEntry(
      InterfaceAddress(address: address, prefix: .host(address.family)), onLink: link.index,
      flags: [.withoutDuplicateDetection, .withoutSubnetRoute],
      // Addresses for the link alone would go before the others for broadcasts and routes without a
      // gateway.
      scope: address.family == .v4 ? .host : .universe)
    if address.family == .v6 { entry.flags.insert(.deprecated) }
    entry.broadcast = nil
    entry.origin = Self.origin
    do {
      try socket.addAddress(entry)
    } catch {
      guard error.isAlreadyThere else { throw error }
    }
  }

  private func remove(
    _ entry: AddressEntry, on socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    do {
      try socket.deleteAddress(entry)
    } catch {
      guard error.isNotFound else { throw error }
    }
  }

  /// Tells neighbours; a link without Ethernet addresses has none that would have to know.
  private static func announce(_ news: [Announced]) -> [String] {
    guard !news.isEmpty else { return [] }
    var problems: [String] = []
    do throws(SystemError) {
      let sender = try FrameSender()
      for one in news {
        guard let hardware = one.link.hardwareAddress, !one.link.flags.contains(.loopback) else {
          continue
        }
        let announcement = NeighbourAnnouncement(of: one.address, at: hardware)
        do throws(SystemError) {
          try sender.send(
            announcement.payload, announcement.etherType,
            to: announcement.destination.bytes, byLink: one.link.index)
        } catch {
          problems.append("\(one.address) is not announced by \(one.link.name): \(error)")
        }
      }
    } catch {
      problems.append("nothing is announced: \(error)")
    }
    return problems
  }
}
