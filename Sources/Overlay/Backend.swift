/// How packets get to the pods of other nodes.
public enum Backend: Hashable, Sendable {
  /// In UDP packets to the node.
  case vxlan(Tunnelling)
  /// As they are: the other node is their gateway, and must be on the same link.
  case hostGateway

  /// How packets travel in UDP packets.
  public struct Tunnelling: Hashable, Sendable {
    /// The network's number. flannel: `VNI`
    public var network: UInt32
    /// The port on every node. flannel: `Port`
    public var port: UInt16
    /// Whether nodes on the same link send packets as they are. flannel: `DirectRouting`
    public var routesDirectly: Bool

    /// As flannel does unless told otherwise: network 1, port 8472, always in UDP.
    public init(network: UInt32 = 1, port: UInt16 = 8472, routesDirectly: Bool = false) {
      self.network = network
      self.port = port
      self.routesDirectly = routesDirectly
    }
  }

  /// The name in configurations, which is flannel's.
  public var name: String {
    switch self {
    case .vxlan: "vxlan"
    case .hostGateway: "host-gw"
    }
  }

  /// How packets travel in UDP packets, if they ever do.
  public var tunnelling: Tunnelling? {
    guard case .vxlan(let tunnelling) = self else { return nil }
    return tunnelling
  }
}
