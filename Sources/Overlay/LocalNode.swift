public import Addressing

/// This node, with all that had to be looked up or allotted.
public struct LocalNode: Hashable, Sendable {
  /// Its name.
  public var name: NodeName
  /// Its addresses, at most one of each family.
  public var underlay: [IPAddress]
  /// The ranges of the cluster.
  public var cluster: [Subnet]
  /// The networks of its own pods.
  public var subnets: [Subnet]
  /// How packets get to other nodes.
  public var backend: Backend
  /// The longest packet of a pod, if the operator has said so.
  public var mtu: MTU?
  /// Whether it masquerades what leaves the cluster.
  public var masquerades: Bool

  /// Puts together what is known of it.
  public init(
    name: NodeName, underlay: [IPAddress], cluster: [Subnet], subnets: [Subnet],
    backend: Backend = .vxlan(Backend.Tunnelling()), mtu: MTU? = nil, masquerades: Bool = false
  ) {
    self.name = name
    self.underlay = underlay
    self.cluster = cluster
    self.subnets = subnets
    self.backend = backend
    self.mtu = mtu
    self.masquerades = masquerades
  }

  /// The node as its peers know it.
  public var asPeer: Peer { Peer(name: name, underlay: underlay, subnets: subnets) }

  /// Its own address of a family.
  public func underlay(_ family: IPFamily) -> IPAddress? {
    underlay.first { $0.family == family }
  }

  /// The families of its pods.
  public var podFamilies: Set<IPFamily> { Set(subnets.map(\.family)) }
}
