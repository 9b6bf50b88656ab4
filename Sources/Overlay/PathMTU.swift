public import Addressing
public import Netlink
public import RouteNetlink

/// How a peer is reached over the network below.
public struct UnderlayPath: Hashable, Sendable {
  /// The link that packets to it leave by.
  public var linkIndex: UInt32
  /// Who carries on; nobody if the peer is on the link.
  public var gateway: IPAddress?
  /// The longest packet that gets there as far as this node knows, in bytes.
  public var mtu: Int

  /// Describes a path.
  public init(linkIndex: UInt32, gateway: IPAddress? = nil, mtu: Int) {
    self.linkIndex = linkIndex
    self.gateway = gateway
    self.mtu = mtu
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Finds the paths to addresses, in two sends and one for each link.
  ///
  /// The MTU is the route's if it has one, which may have been told by a router on the way, or else
  /// the link's.
  ///
  /// - Returns: a path for each; nil for what cannot be reached, or only through this host itself.
  /// - Throws: `NetlinkError`.
  public borrowing func underlayPaths(to addresses: [IPAddress]) throws(NetlinkError)
    -> [IPAddress: UnderlayPath]
  {
    guard !addresses.isEmpty else { return [:] }
    var links: [UInt32: Int] = [:]
    var paths: [IPAddress: UnderlayPath] = [:]
    for (address, route) in zip(addresses, try findRoutes(to: addresses)) {
      guard let route, route.type == .unicast, let index = route.linkIndex else { continue }
      if links[index] == nil { links[index] = try link(index: index).mtu }
      paths[address] = UnderlayPath(
        linkIndex: index, gateway: route.gateway,
        mtu: min(route.mtu.map(Int.init) ?? .max, links[index] ?? .max))
    }
    return paths
  }
}

/// The longest packet that pods can send to every peer.
public enum PathMTU {
  /// What is left for a packet inside tunnels over a family.
  ///
  /// - Parameters:
  ///   - family: over which they travel.
  ///   - paths: the longest packets of the network below, in bytes, at least one.
  /// - Returns: the smallest of them less what a tunnel adds.
  public static func inTunnels(over family: IPFamily, paths: [Int]) -> Int {
    (paths.min() ?? 0) - VXLAN.overhead(over: family)
  }
}
