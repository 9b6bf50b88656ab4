public import Addressing
public import Netlink
public import RouteNetlink

/// How a peer is reached over the network below.
public struct UnderlayPath: Hashable, Sendable {
  /// The link that packets to it leave by.
  public var linkIndex: UInt32
  /// Who carries on; nobody if the peer is on the link.
  public var gateway: IPAddress?
  /// The longest packet that gets there as far as links and routes of this node say, in bytes.
  public var mtu: Int
  /// A smaller one that the kernel was told of by somebody on the way, until it forgets that.
  public var learntMTU: Int?

  /// Describes a path.
  public init(linkIndex: UInt32, gateway: IPAddress? = nil, mtu: Int, learntMTU: Int? = nil) {
    self.linkIndex = linkIndex
    self.gateway = gateway
    self.mtu = mtu
    self.learntMTU = learntMTU
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Finds the paths to addresses, in two sends and one for each link.
  ///
  /// - Returns: a path for each; nil for what cannot be reached, or only through this host itself.
  /// - Throws: `NetlinkError`.
  public borrowing func underlayPaths(to addresses: [IPAddress]) throws(NetlinkError)
    -> [IPAddress: UnderlayPath]
  {
    guard !addresses.isEmpty else { return [:] }
    var links: [UInt32: Int] = [:]
    var paths: [IPAddress: UnderlayPath] = [:]
    var smaller: [IPAddress: Int] = [:]
    for (address, route) in zip(addresses, try findRoutes(to: addresses)) {
      guard let route, route.type == .unicast, let index = route.linkIndex else { continue }
      if links[index] == nil { links[index] = try link(index: index).mtu }
      let mtu = links[index] ?? .max
      paths[address] = UnderlayPath(linkIndex: index, gateway: route.gateway, mtu: mtu)
      if let told = route.mtu.map(Int.init), told < mtu { smaller[address] = told }
    }
    // Whether the route says so, or somebody on the way.
    let asked = Array(smaller.keys)
    guard !asked.isEmpty else { return paths }
    for (address, route) in zip(asked, try findRoutes(to: asked, asConfigured: true)) {
      guard var path = paths[address], let told = smaller[address] else { continue }
      path.mtu = min(path.mtu, route?.mtu.map(Int.init) ?? .max)
      if told < path.mtu { path.learntMTU = told }
      paths[address] = path
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

  /// Takes what was learnt of paths for what it is: news of the network below, or an echo.
  ///
  /// When a node answers at its own address for a pod, one that it hides or one behind a mapped port,
  /// what is too long for that pod is refused in the node's name. Whoever hears it takes the pods' MTU
  /// for that of the path to the node; were this believed, pods would get what is left of it for the
  /// inside of a tunnel, and the next time what is left of that. The kernel does not keep who told it.
  /// But pods' MTUs are known: those of the links here, and some path less what a tunnel adds. So a
  /// value that is one of these says nothing about the path. What a true router has said before stays
  /// as it was taken, since the kernel keeps only the smaller of both.
  ///
  /// - Parameters:
  ///   - paths: the paths by address.
  ///   - tunnels: the MTUs of this node's tunnels as they are, by the family they travel over.
  ///   - links: the MTUs of the links to its pods and to those of others.
  /// - Returns: the paths with the MTU that is believed, and nothing learnt besides.
  public static func judge(
    _ paths: [IPAddress: UnderlayPath], tunnels: [IPFamily: Int], links: Set<Int>
  ) -> [IPAddress: UnderlayPath] {
    var held: [IPFamily: Int] = [:]
    for (family, mtu) in tunnels { held[family] = mtu + VXLAN.overhead(over: family) }
    let known = Set(paths.values.map(\.mtu)).union(held.values)
    let ofPods = links.union(
      IPFamily.allCases.flatMap { family in known.map { $0 - VXLAN.overhead(over: family) } })
    var judged = paths
    for (address, path) in paths {
      guard let learnt = path.learntMTU else { continue }
      judged[address]?.learntMTU = nil
      if !ofPods.contains(learnt) {
        judged[address]?.mtu = learnt
      } else if let before = held[address.family], before > learnt {
        judged[address]?.mtu = min(path.mtu, before)
      }
    }
    return judged
  }
}
