public import Addressing

/// One address, transport and port at which a service answers, as the kernel needs to know it.
///
/// A service of several addresses and ports is several of these.
public struct Frontend: Hashable, Sendable {
  /// Where it answers.
  public let place: Place
  /// What it carries.
  public let transport: Transport
  /// On which port.
  public let port: UInt16
  /// Whom it is for.
  public var audience: Audience
  /// How a backend is chosen for a new connection.
  public var balancing: Balancing
  /// Only backends on this node are used: always for the cluster, and for an outside audience
  /// when the packet comes from outside.
  ///
  /// Kubernetes name: `internalTrafficPolicy: Local`, `externalTrafficPolicy: Local`.
  public var localOnly: Bool
  /// Who answers, in the order of their buckets.
  public var backends: [Backend]
  /// The networks that may use it; none means anyone.
  ///
  /// Kubernetes name: `loadBalancerSourceRanges`.
  public var sources: [Subnet]
  /// Its address is that of its service alone, so ports of it that nobody serves are refused: a
  /// ClusterIP, and that of a balancer, which is the node's own besides.
  public var ownsAddress: Bool

  /// Where a frontend answers.
  public enum Place: Hashable, Sendable {
    /// At one address: a ClusterIP, an external address, that of a balancer.
    case address(IPAddress)
    /// At the node's own addresses of a family: a NodePort.
    case node(IPFamily)

    /// The family of its addresses.
    public var family: IPFamily {
      switch self {
      case .address(let address): address.family
      case .node(let family): family
      }
    }
  }

  /// Whom a frontend is for.
  public enum Audience: Hashable, Sendable {
    /// Pods and nodes: a ClusterIP.
    case cluster
    /// Anybody: a NodePort, an external address, that of a balancer.
    case outside
  }

  /// How a backend is chosen for a new connection.
  public enum Balancing: Hashable, Sendable {
    /// By chance, by weight.
    case random
    /// By the client's address, without memory: the same client gets the same backend as long as
    /// the backends stay the same.
    case sourceHash
    /// By chance, then the same for a client until it has not connected for so long.
    case clientAffinity(seconds: UInt32)
  }

  /// Describes a frontend.
  ///
  /// Without a word about it, an address for the cluster is that of its service alone.
  ///
  /// - Precondition: backends and sources are of the place's family.
  public init(
    _ place: Place, _ transport: Transport, port: UInt16, for audience: Audience,
    balancing: Balancing = .random, localOnly: Bool = false, backends: [Backend],
    sources: [Subnet] = [], ownsAddress: Bool? = nil
  ) {
    precondition(
      backends.allSatisfy { $0.address.family == place.family }
        && sources.allSatisfy { $0.family == place.family }, "a frontend of two families")
    self.place = place
    self.transport = transport
    self.port = port
    self.audience = audience
    self.balancing = balancing
    self.localOnly = localOnly
    self.backends = backends
    self.sources = sources
    self.ownsAddress = ownsAddress ?? (audience == .cluster)
  }

  /// What tells frontends apart: no two of a node have the same.
  public var key: Key { Key(place: place, transport: transport, port: port) }

  /// What tells frontends apart.
  public struct Key: Hashable, Sendable {
    /// Where it answers.
    public let place: Place
    /// What it carries.
    public let transport: Transport
    /// On which port.
    public let port: UInt16

    /// Names a frontend.
    public init(place: Place, transport: Transport, port: UInt16) {
      self.place = place
      self.transport = transport
      self.port = port
    }
  }
}

/// Who answers for a frontend: an address and port of a pod.
public struct Backend: Hashable, Sendable {
  /// The pod's address.
  public let address: IPAddress
  /// The pod's port.
  public let port: UInt16
  /// Its share compared with that of others; at least 1.
  public let weight: UInt16
  /// Whether the pod is on this node.
  public let isLocal: Bool

  /// Describes a backend.
  ///
  /// - Precondition: `weight` is at least 1.
  public init(_ address: IPAddress, port: UInt16, weight: UInt16 = 1, isLocal: Bool = true) {
    precondition(weight >= 1, "a backend without a share")
    self.address = address
    self.port = port
    self.weight = weight
    self.isLocal = isLocal
  }
}
