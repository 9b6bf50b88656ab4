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
    /// Takes what the operator should know and what is no failure.
    public var log: (String) -> Void

    /// Describes a node.
    public init(
      primaryAddresses: @escaping () throws(NetlinkError) -> [IPAddress],
      isOwn: @escaping (IPAddress) -> Bool, log: @escaping (String) -> Void
    ) {
      self.primaryAddresses = primaryAddresses
      self.isOwn = isOwn
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
      for family in IPFamily.allCases {
        guard try ServiceLayout.isLaid(family, on: socket) else { return false }
      }
      return true
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
