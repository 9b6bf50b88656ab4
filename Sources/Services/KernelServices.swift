public import Addressing
internal import Conntrack
public import Netlink
internal import Nftables

/// The kernel's tables of services, in the network namespace that the thread stands in.
public struct KernelServices: ServicePlane {
  private let node: Node

  /// What only somebody who reads links and routes knows of the node.
  public struct Node {
    /// Its own addresses at which node ports are open where the settings name none; asked for only
    /// when they are needed.
    public var primaryAddresses: () throws(NetlinkError) -> [IPAddress]
    /// Whether an address is one of its own.
    public var isOwn: (IPAddress) -> Bool
    /// How it stands among others, and to which of some ranges it knows no way.
    public var outlook: ([Subnet]) throws(NetlinkError) -> (exits: String, unreachable: [Subnet])
    /// Makes ways to ranges.
    public var makeWays: ([Subnet]) throws(NetlinkError) -> Void
    /// Makes the uplink have the addresses of balancers, and says what stands in the way.
    public var serve: Serve
    /// Takes what the operator should know and what is no failure.
    public var log: (String) -> Void

    /// Puts addresses on the uplink: those wanted, those of before, which link, the default route's
    /// if nil, and whether neighbours are told of all of them again.
    public typealias Serve = (Set<IPAddress>, Set<IPAddress>, InterfaceName?, Bool)
      throws(NetlinkError) -> [String]

    /// Describes a node.
    public init(
      primaryAddresses: @escaping () throws(NetlinkError) -> [IPAddress],
      isOwn: @escaping (IPAddress) -> Bool,
      outlook:
        @escaping ([Subnet]) throws(NetlinkError) -> (
          exits: String, unreachable: [Subnet]
        ),
      makeWays: @escaping ([Subnet]) throws(NetlinkError) -> Void,
      serve: @escaping Serve,
      log: @escaping (String) -> Void
    ) {
      self.primaryAddresses = primaryAddresses
      self.isOwn = isOwn
      self.outlook = outlook
      self.makeWays = makeWays
      self.serve = serve
      self.log = log
    }
  }

  /// The tables of the thread's namespace.
  public init(_ node: Node) {
    self.node = node
  }

  /// Whether the tables are there.
  public func isLaid() throws(ServiceTableError) -> Bool {
    let socket = try open()
    return try ServiceTable.reading { () throws(NetlinkError) in
      try ServiceLayout.missing(IPFamily.allCases, on: socket) == nil
    }
  }

  /// How the node stands among others now.
  public func outlook(on ranges: [Subnet]) throws(ServiceTableError) -> NodeOutlook {
    let seen = try ServiceTable.reading { () throws(NetlinkError) in try node.outlook(ranges) }
    return NodeOutlook(exits: seen.exits, unreachable: seen.unreachable)
  }

  /// The number that every transaction of anybody raises, and the addresses.
  public func situation() throws(ServiceTableError) -> String {
    let socket = try open()
    let generation = try ServiceTable.reading { () throws(NetlinkError) in try socket.generation() }
    let addresses: String
    do throws(NetlinkError) {
      addresses = try node.primaryAddresses().map(\.description).joined(separator: " ")
    } catch {
      // Whoever needs them will say so.
      addresses = "\(error)"
    }
    return "\(generation.number) \(addresses)"
  }

  /// Makes ways for the host's own connections, which alone need them.
  public func makeWays(to ranges: [Subnet]) {
    do throws(NetlinkError) {
      try node.makeWays(ranges)
    } catch {
      node.log("this host itself may not reach services: \(error)")
    }
  }

  /// Makes the uplink have the addresses of balancers; services answer on the node even if it fails.
  public func serve(_ addresses: BalancerAddresses) -> [String] {
    do throws(NetlinkError) {
      return try node.serve(
        addresses.wanted, addresses.former, addresses.link, addresses.announcesAll)
    } catch {
      return ["neighbours may not find the addresses of balancers: \(error)"]
    }
  }

  /// Makes the settings hold; services stay.
  public func install(_ settings: ServiceSettings) throws(ServiceTableError) {
    try ServiceTable.install(try tableSettings(settings), on: try open())
  }

  /// Makes some frontends give way to others, and forgets the flows that led elsewhere.
  public func change(from old: [Frontend], to new: [Frontend]) throws(ServiceTableError) {
    let socket = try open()
    // What the kernel still frees need not be waited for.
    socket.closeInBackground()
    try ServiceTable.change(from: old, to: new, on: socket)
    forgetFlows(from: old, to: new)
  }

  /// Makes the tables anew, and forgets the flows that led elsewhere.
  public func replace(
    _ old: [Frontend], with new: [Frontend], _ settings: ServiceSettings
  ) throws(ServiceTableError) {
    let socket = try open()
    socket.closeInBackground()
    try ServiceTable.replace(with: new, try tableSettings(settings), on: socket)
    forgetFlows(from: old, to: new)
  }

  /// What of some frontends is missing.
  public func faults(of frontends: [Frontend]) throws(ServiceTableError) -> [String] {
    try ServiceTable.lacks(of: frontends, on: try open()).map(\.description)
  }

  /// How the kernel differs from what should be.
  public func differences(
    from frontends: [Frontend], _ settings: ServiceSettings
  ) throws(ServiceTableError) -> [String] {
    try ServiceTable.differences(from: frontends, try tableSettings(settings), on: try open())
      .map(\.description)
  }

  /// The change stands whether or not old flows can be found.
  private func forgetFlows(from old: [Frontend], to new: [Frontend]) {
    guard (old + new).contains(where: { $0.transport == .udp }) else { return }
    do throws(NetlinkError) {
      let socket = try NetlinkSocket<ConntrackFamily>()
      socket.closeInBackground()
      try StaleFlows.forget(from: old, to: new, isOwn: node.isOwn, on: socket)
    } catch {
      node.log("flows of datagrams to services that have changed may go on as before: \(error)")
    }
  }

  private func open() throws(ServiceTableError) -> NetlinkSocket<NetfilterFamily> {
    do throws(NetlinkError) {
      return try NetlinkSocket<NetfilterFamily>()
    } catch {
      throw .kernel(error)
    }
  }

  private func tableSettings(
    _ settings: ServiceSettings
  ) throws(ServiceTableError) -> ServiceTable.Settings {
    var addresses = settings.nodePortAddresses
    if addresses.isEmpty {
      addresses = try ServiceTable.reading { () throws(NetlinkError) in
        try node.primaryAddresses()
      }
      .map { Subnet(containing: $0, prefix: .host($0.family)) }
    }
    return ServiceTable.Settings(cluster: settings.podRanges, nodeAddresses: addresses)
  }
}
