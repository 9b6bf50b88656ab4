public import Addressing
public import NodeFiles
internal import RouteNetlink

/// What must be there for the pods of this node and of its peers to reach each other.
///
/// Pure: it asks nobody.
public struct OverlayPlan: Hashable, Sendable {
  /// The node it is for.
  public let node: LocalNode
  /// The tunnels.
  public private(set) var tunnels: [Tunnel] = []
  /// How the pods of a peer are reached, a way for each peer and family of pods.
  public private(set) var ways: [Way] = []
  /// The longest packet that reaches all of them.
  public private(set) var mtu: MTU
  /// Peers, or families of their pods, that cannot be reached, and why.
  public private(set) var problems: [String] = []

  /// How pods of one family of one peer are reached.
  public struct Way: Hashable, Sendable {
    /// The peer.
    public let peer: Peer
    /// Their subnets, of one family.
    public let subnets: [Subnet]
    /// The peer's address below.
    public let remote: IPAddress
    /// The path there.
    public let course: Course

    /// The family of the pods.
    public var family: IPFamily { subnets[0].family }
  }

  /// By what a way leads.
  public enum Course: Hashable, Sendable {
    /// In the tunnel that travels over the family of the peer's address.
    case tunnel
    /// Straight to the peer, by this link.
    case direct(linkIndex: UInt32)
  }

  /// Plans.
  ///
  /// - Parameters:
  ///   - node: this node.
  ///   - peers: its peers, which go together.
  ///   - paths: how their addresses and this node's own are reached; its own by the link that has it.
  /// - Throws: ``OverlayError`` if nothing could work.
  public init(_ node: LocalNode, _ peers: [Peer], _ paths: [IPAddress: UnderlayPath])
    throws(OverlayError)
  {
    self.node = node
    var problems: [String] = []
    for peer in peers {
      for family in IPFamily.allCases {
        let subnets = peer.subnets.filter { $0.family == family }
        guard !subnets.isEmpty else { continue }
        switch Self.course(from: node, to: peer, family, paths) {
        case .success(let (remote, course)):
          ways.append(Way(peer: peer, subnets: subnets, remote: remote, course: course))
        case .failure(let problem):
          problems.append("\(peer.name): \(problem.text)")
        }
      }
    }
    let limits = try Self.limits(node, ways, paths)
    mtu = limits.values.min() ?? limits.first?.value ?? node.mtu ?? Self.ethernet
    if let wanted = node.mtu {
      if let least = limits.values.min(), least < wanted {
        problems.append("mtu \(wanted) is more than the \(least) bytes that reach every peer")
      }
      mtu = wanted
    }
    if node.podFamilies.contains(.v6), mtu < .leastForIPv6 {
      // Not the end of it: a router's word can be false, and what is too long is sent in fragments.
      problems.append(
        "\(mtu) bytes are left for a packet, and IPv6 needs \(MTU.leastForIPv6): tunnels send "
          + "fragments, which is slow; raise the MTU of the network below to 1350")
      mtu = .leastForIPv6
    }
    self.problems = problems
    tunnels = Self.tunnels(node, limits)
  }
}

extension OverlayPlan {
  private static var ethernet: MTU {
    do throws(AddressParseError) { return try MTU(1500) } catch { preconditionFailure("\(error)") }
  }

  struct Problem: Error { let text: String }

  /// Over which family a tunnel to a peer travels for pods of a family: the same, or else the other.
  static func carrier(from node: LocalNode, to peer: Peer, _ pods: IPFamily) -> IPAddress? {
    [pods, pods == .v4 ? .v6 : .v4].first {
      node.underlay($0) != nil && peer.underlay($0) != nil
    }.flatMap(peer.underlay)
  }

  private static func course(
    from node: LocalNode, to peer: Peer, _ family: IPFamily, _ paths: [IPAddress: UnderlayPath]
  ) -> Result<(IPAddress, Course), Problem> {
    guard let remote = carrier(from: node, to: peer, family) else {
      return .failure(
        Problem(text: "this node and it have no addresses of one family for \(family) pods"))
    }
    let path = paths[remote]
    // A route of IPv6 cannot have a gateway of IPv4.
    let canBeGateway = remote.family == family || remote.family == .v6
    switch node.backend {
    case .vxlan(let tunnelling):
      if tunnelling.routesDirectly, canBeGateway, let path, path.gateway == nil {
        return .success((remote, .direct(linkIndex: path.linkIndex)))
      }
      return .success((remote, .tunnel))
    case .hostGateway:
      guard canBeGateway else {
        return .failure(
          Problem(text: "its \(family) pods need an \(family) address of the node with host-gw"))
      }
      guard let path else {
        return .failure(Problem(text: "no route leads to its address \(remote)"))
      }
      guard path.gateway == nil else {
        return .failure(
          Problem(
            text: "its address \(remote) is behind a router, and host-gw needs it on the same "
              + "link; use the backend vxlan"))
      }
      return .success((remote, .direct(linkIndex: path.linkIndex)))
    }
  }

  /// The longest packet inside each tunnel, or of the paths themselves; by family below.
  private static func limits(
    _ node: LocalNode, _ ways: [Way], _ paths: [IPAddress: UnderlayPath]
  ) throws(OverlayError) -> [IPFamily: MTU] {
    var limits: [IPFamily: MTU] = [:]
    for own in node.underlay {
      let family = own.family
      let remotes = ways.map(\.remote).filter { $0.family == family }
      let below = ([own] + remotes).compactMap { paths[$0]?.mtu }
      guard let smallest = below.min() else { continue }
      let bytes =
        node.backend.tunnelling == nil
        ? smallest : PathMTU.inTunnels(over: family, paths: below)
      do throws(AddressParseError) {
        // Loopback carries more than any packet can be long.
        limits[family] = try MTU(min(bytes, 65535))
      } catch {
        throw .refused(
          "\(smallest) bytes get through to the peers over \(family), too few for a tunnel",
          advice: "raise the MTU of the network below")
      }
    }
    return limits
  }

  private static func tunnels(_ node: LocalNode, _ limits: [IPFamily: MTU]) -> [Tunnel] {
    guard let tunnelling = node.backend.tunnelling else { return [] }
    let bases = IPFamily.allCases.compactMap { family in
      node.subnets.first { $0.family == family }?.first
    }
    return node.underlay.compactMap { own in
      guard var mtu = node.mtu ?? limits[own.family] else { return nil }
      if node.podFamilies.contains(.v6) { mtu = max(mtu, .leastForIPv6) }
      // Pods use the tunnel of their own family where both nodes have it, so with both a node's base
      // address of a family is on one of them only.
      let addresses =
        node.underlay.count == 1 ? bases : bases.filter { $0.family == own.family }
      return Tunnel(
        name: VXLAN.deviceName(network: tunnelling.network, over: own.family),
        settings: VXLANSettings(
          tunnelling.network, local: own, port: tunnelling.port, learns: false),
        mtu: mtu, hardwareAddress: VXLAN.hardwareAddress(of: node.name, over: own.family),
        addresses: addresses)
    }
  }
}

extension OverlayPlan {
  /// The peer's own address, if pods of this node reach it by the tunnel as they reach the peer's pods.
  ///
  /// So they are themselves to it, and who they are is known as it is of what they send to pods. A
  /// node with flannel answers what is sent to its wildcard UDP sockets with another address; there
  /// pods are hidden instead where they are from everybody outside.
  public func tunnelledNode(_ way: Way) -> IPAddress? {
    guard way.course == .tunnel, !(way.peer.runsFlannel && node.masquerades) else { return nil }
    return way.peer.underlay(way.family)
  }

  /// What plugins are told of the node.
  public var published: NodeSubnets {
    NodeSubnets(
      node: node.name.text, cluster: node.cluster, subnets: node.subnets, mtu: mtu,
      backend: node.backend.name, devices: tunnels.map(\.name), masquerades: node.masquerades)
  }
}
