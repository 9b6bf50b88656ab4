internal import Addressing
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// A network namespace that looks to plugins like this host, and leads nowhere.
///
/// It has the host's links under their names, bridges as bridges and all others as ends of pairs, with
/// MTU, hardware address and addresses, and the routes by gateways, so that plugins find the links
/// that they stand on, and the default route. The packet filter is empty.
struct HostImitation: ~Copyable {
  let namespace: NetworkNamespace

  /// Imitates the namespace that the thread stands in.
  init() throws {
    let model = try Model()
    let namespace = try NetworkNamespace.make()
    try namespace.stand { try model.build() }
    self.namespace = namespace
  }

  /// What is imitated.
  private struct Model {
    let links: [Link]
    let addresses: [AddressEntry]
    let routes: [RouteEntry]
    let settings: [(name: [String], text: String)]

    init() throws {
      let socket = try NetlinkSocket<RouteFamily>()
      let addresses = try socket.addresses().filter { !$0.address.address.isLinkLocal }
      var routes: [RouteEntry] = []
      for family in IPFamily.allCases {
        for route in try socket.routes(family: family)
        where route.gateway != nil && route.type == .unicast { routes.append(route) }
      }
      let named = Set(addresses.map(\.linkIndex) + routes.compactMap(\.linkIndex))
      // Ends of pods' pairs are of no use to another pod, and there may be thousands.
      links = try socket.links().filter { link in
        link.name.text != "lo" && (link.kind != "veth" || named.contains(link.index))
      }
      self.addresses = addresses
      self.routes = routes
      var settings: [(name: [String], text: String)] = []
      for name in IPFamily.allCases.map(\.forwardingSetting) {
        do throws(SystemError) {
          settings.append((name, try Sysctl.read(name)))
        } catch {
          guard error.errno == .noEntry else { throw error }
        }
      }
      self.settings = settings
    }

    /// Makes all of it in the namespace that the thread stands in.
    func build() throws {
      let socket = try NetlinkSocket<RouteFamily>()
      try socket.setLink(.index(1), up: true)
      for (name, text) in settings { try Sysctl.writeIfDifferent(name, text) }
      var indices: [UInt32: UInt32] = [:]
      for (number, link) in links.enumerated() {
        indices[link.index] = try make(link, number, on: socket)
      }
      for entry in addresses {
        guard let index = indices[entry.linkIndex] else { continue }
        let copy = AddressEntry(entry.address, onLink: index, flags: .withoutDuplicateDetection)
        do throws(NetlinkError) {
          try socket.addAddress(copy)
        } catch {
          guard error.isAlreadyThere else { throw error }
        }
      }
      for var route in routes {
        guard let index = route.linkIndex.flatMap({ indices[$0] }) else { continue }
        route.linkIndex = index
        // Who carries on need not be known here.
        route.isOnLink = true
        do throws(NetlinkError) {
          try socket.addRoute(route, .beside)
        } catch {
          guard error.cause == .refused else { throw error }
        }
      }
    }

    private func make(
      _ link: Link, _ number: Int, on socket: borrowing NetlinkSocket<RouteFamily>
    ) throws -> UInt32 {
      var mtu: MTU?
      if link.mtu <= 65535 { mtu = try MTU(max(link.mtu, 68)) }
      let kind: LinkKind =
        link.kind == "bridge"
        ? .bridge(BridgeSettings())
        : .veth(peer: VethPeer(name: try InterfaceName("imitated-\(number)"), mtu: mtu))
      try socket.createLink(
        NewLink(link.name, kind, mtu: mtu, hardwareAddress: link.hardwareAddress))
      let made = try socket.link(named: link.name)
      if link.isUp {
        if case .veth = kind {
          let far = try socket.link(named: try InterfaceName("imitated-\(number)"))
          try socket.setLink(.index(far.index), up: true)
        }
        try socket.setLink(.index(made.index), up: true)
      }
      return made.index
    }
  }
}
