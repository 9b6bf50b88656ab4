internal import Addressing
internal import Linux
internal import Netlink
internal import Nftables
internal import RouteNetlink
internal import RulesetWalk

/// A network namespace on a packet's way: the host's, or that of a pod.
///
/// Links, addresses and rules are read when they are first asked for, and then kept, so that one
/// trace sees one state of them. Nothing is ever changed.
final class TracePlace {
  /// What to call it.
  let name: String
  /// Whose it is; nil for the host.
  let pod: NodeReport.Pod?
  private let namespace: NetworkNamespace
  private let routes: NetlinkSocket<RouteFamily>
  let links: [Link]
  let addresses: [AddressEntry]
  private var readRuleset: Ruleset?
  private var localRoutes: [IPFamily: [RouteEntry]] = [:]

  /// Opens the namespace at a path; the one that the thread stands in if nil.
  init(_ name: String, pod: NodeReport.Pod? = nil, at path: String?) throws {
    self.name = name
    self.pod = pod
    let namespace =
      if let path { try NetworkNamespace(path: path) } else { try NetworkNamespace.current() }
    let routes = try namespace.stand { try NetlinkSocket<RouteFamily>() }
    links = try routes.links()
    addresses = try routes.addresses()
    self.namespace = namespace
    self.routes = routes
  }

  /// All tables, chains, rules and sets.
  func ruleset() throws -> Ruleset {
    if let readRuleset { return readRuleset }
    let ruleset = try namespace.stand {
      try NetlinkSocket<NetfilterFamily>().ruleset()
    }
    readRuleset = ruleset
    return ruleset
  }

  /// Which way a packet would go.
  func answer(_ query: RouteQuery) throws -> RouteAnswer { try routes.answer(query) }

  /// The neighbour of an address on a link, if the kernel knows one.
  func neighbour(_ address: IPAddress, on link: Link) throws -> NeighbourEntry? {
    try routes.neighbours(onLink: link.index, family: address.family)
      .first { $0.address == address }
  }

  /// To which host a tunnel sends frames for a hardware address.
  func remote(of address: HardwareAddress, on link: Link) throws -> IPAddress? {
    let known = try routes.forwardings(onLink: link.index)
    return
      (known.first { $0.hardwareAddress == address }
      ?? known.first { $0.hardwareAddress == .zero })?.remote
  }

  /// A setting of the kernel; nil if there is none of this name.
  func setting(_ name: [String]) throws -> String? {
    do throws(SystemError) {
      return try Self.setting(name, in: namespace)
    } catch {
      guard error.errno == .noEntry else { throw error }
      return nil
    }
  }

  private static func setting(
    _ name: [String], in namespace: borrowing NetworkNamespace
  ) throws(SystemError) -> String {
    do {
      return try namespace.run { () throws(SystemError) in try Sysctl.read(name) }
    } catch {
      switch error {
      case .unreachable(let error), .work(let error): throw error
      }
    }
  }

  /// What a file of `/proc/net` holds here; nil if there is none.
  func networkFile(_ name: String) throws -> String? {
    try namespace.stand {
      try File.readIfPresent("/proc/thread-self/net/\(name)", limit: 1 << 26)
        .map { String(decoding: $0, as: UTF8.self) }
    }
  }

  func link(_ index: UInt32?) -> Link? {
    index.flatMap { index in links.first { $0.index == index } }
  }

  func link(named name: String) -> Link? { links.first { $0.name.text == name } }

  /// Whether an address is one of this place's own.
  func has(_ address: IPAddress) -> Bool { addresses.contains { $0.address.address == address } }

  /// A link in the words of rules.
  func packetLink(_ link: Link) -> PacketLink {
    let master = self.link(link.masterIndex)
    return PacketLink(
      index: link.index, name: link.name.text, kind: link.kind,
      bridge: master?.kind == "bridge" ? master?.name.text : nil)
  }
}

extension TracePlace {
  /// What rules ask about this place.
  ///
  /// What cannot be read is not known to them.
  var facts: WalkFacts {
    WalkFacts(
      addressType: { [self] address, link in addressType(address, link) },
      link: { [self] address in
        guard case .route(let route)? = ask(RouteQuery(to: address)) else { return .some(nil) }
        return .some(link(route.linkIndex).map(packetLink))
      },
      ownAddress: { [self] output, destination in ownAddress(output, destination) })
  }

  private func ask(_ query: RouteQuery) -> RouteAnswer? {
    do {
      return try answer(query)
    } catch {
      // Then rules that ask for it are told as ones of which one cannot tell.
      return nil
    }
  }

  /// As the kernel answers from its own list of local addresses.
  private func addressType(_ address: IPAddress, _ link: UInt32?) -> UInt8? {
    if address.isMulticast { return RouteType.multicast.rawValue }
    if address.bits == 0 || (address.family == .v4 && address.bits == 0xffff_ffff) {
      return RouteType.broadcast.rawValue
    }
    do {
      let known =
        try localRoutes[address.family] ?? routes.routes(family: address.family, table: .local)
      localRoutes[address.family] = known
      let best = known.filter {
        $0.destination.contains(address) && (link == nil || $0.linkIndex == link)
      }.max { $0.destination.prefix.length < $1.destination.prefix.length }
      return best?.type.rawValue ?? RouteType.unicast.rawValue
    } catch {
      return nil
    }
  }

  /// The address that masked packets take: for IPv4 one of the link that the next host can reach, for
  /// IPv6 the one that the kernel would send from.
  private func ownAddress(_ output: PacketLink, _ destination: IPAddress) -> IPAddress? {
    var query = RouteQuery(to: destination)
    query.outputIndex = output.index
    guard case .route(let route)? = ask(query) else { return nil }
    if destination.family == .v6 { return route.source }
    let own = addresses.filter { $0.linkIndex == output.index && $0.address.family == .v4 }
    let next = route.gateway ?? destination
    return
      (own.first { $0.address.subnet.contains(next) }
      ?? own.first { $0.scope == .universe } ?? own.first)?.address.address
      ?? addresses.first { $0.address.family == .v4 && $0.scope == .universe }?.address.address
  }
}
