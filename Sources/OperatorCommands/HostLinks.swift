internal import Addressing
internal import Netlink
internal import RouteNetlink

/// A namespace's links with what a picture of it tells, read from the kernel.
struct HostLinks: Equatable {
  /// One link.
  struct Item: Equatable {
    var name: String
    /// The kernel's word, such as "bridge"; nil for hardware.
    var kind: String?
    /// The bridge it is a port of.
    var master: String?
    /// With their prefixes, those of the link alone left out.
    var addresses: [String] = []
    /// A default route leaves by it.
    var leadsOut = false
  }

  private(set) var items: [Item] = []

  init(_ items: [Item]) {
    self.items = items
  }

  /// Reads the namespace that the thread stands in.
  ///
  /// - Throws: `NetlinkError` when it cannot be read.
  init() throws {
    let socket = try NetlinkSocket<RouteFamily>()
    let links = try socket.links()
    let names = Dictionary(links.map { ($0.index, $0.name.text) }) { first, _ in first }
    var addresses: [UInt32: [InterfaceAddress]] = [:]
    for entry in try socket.addresses() where !entry.address.address.isLinkLocal {
      addresses[entry.linkIndex, default: []].append(entry.address)
    }
    var outward: Set<UInt32> = []
    for family in IPFamily.allCases {
      for route in try socket.routes(family: family)
      where route.destination.prefix.length == 0 && route.type == .unicast {
        if let link = route.linkIndex { outward.insert(link) }
      }
    }
    items = links.map { link in
      Item(
        name: link.name.text, kind: link.kind, master: link.masterIndex.flatMap { names[$0] },
        addresses: (addresses[link.index] ?? []).sorted { $0.address < $1.address }
          .map(\.description),
        leadsOut: outward.contains(link.index))
    }
  }

  subscript(name: String) -> Item? { items.first { $0.name == name } }
}
