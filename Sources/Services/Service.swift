public import Addressing

/// One stable address, or several, before pods that come and go.
///
/// What a definition says, or, once it has been admitted, with the addresses and ports that it was
/// given.
///
/// Kubernetes name: `Service`, version `v1`.
public struct Service: Hashable, Sendable {
  /// What it is called.
  public let name: ServiceName
  /// Where it can be reached.
  public var kind: Kind
  /// It has no address of its own; only its pods are known by name. `clusterIP: None`
  public var isHeadless = false
  /// The addresses for the cluster, one of a family; none are asked for where they are to be given.
  /// `clusterIPs`
  public var clusterAddresses: [IPAddress] = []
  /// The families it is to have, the first one first; none if that is left to the node.
  /// `ipFamilies`
  public var families: [IPFamily] = []
  /// Whether it has one family or both. `ipFamilyPolicy`
  public var familyPolicy: FamilyPolicy?
  /// On which ports it answers.
  public var ports: [ServicePort] = []
  /// Which pods answer; nil if only endpoint slices say so.
  public var selector: Selector?
  /// How one of them is chosen. `sessionAffinity`, annotation `swift-cni.dev/affinity`
  public var balancing = Frontend.Balancing.random
  /// Only pods of this node answer those on this node. `internalTrafficPolicy: Local`
  public var internalIsLocal = false
  /// Only pods of this node answer those outside. `externalTrafficPolicy: Local`
  public var externalIsLocal = false
  /// Addresses that others lead to this node. `externalIPs`
  public var externalAddresses: [IPAddress] = []
  /// The addresses for outside; none are asked for where they are to be given. `loadBalancerIP`
  public var balancerAddresses: [IPAddress] = []
  /// Whether a balancer's ports are open at the node's own addresses too.
  /// `allocateLoadBalancerNodePorts`
  public var hasNodePorts = true
  /// Who may come from outside; none means anyone. `loadBalancerSourceRanges`
  public var sources: [Subnet] = []
  /// Pods that are not ready answer too. `publishNotReadyAddresses`
  public var includesNotReady = false
  /// The label by which it is left to another program, or to nobody: it keeps its addresses, and here
  /// nobody answers at them. `service.kubernetes.io/service-proxy-name`, `…/headless`
  public var servedElsewhere: Selector.Pair?
  /// The shares of pods by one of their labels; the first that fits counts.
  /// Annotation `swift-cni.dev/weights`
  public var weights: [LabelWeight] = []

  /// Where a service can be reached.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// From pods and nodes.
    case cluster = "ClusterIP"
    /// Besides at a port of the node's own addresses.
    case node = "NodePort"
    /// Besides at an address of its own for outside.
    case balancer = "LoadBalancer"
  }

  /// How many families a service has.
  public enum FamilyPolicy: String, Hashable, Sendable, CaseIterable {
    /// One.
    case single = "SingleStack"
    /// Both where the node has both.
    case preferDual = "PreferDualStack"
    /// Both, or it is refused.
    case requireDual = "RequireDualStack"
  }

  /// A service that answers nowhere yet.
  public init(_ name: ServiceName, _ kind: Kind = .cluster) {
    self.name = name
    self.kind = kind
  }

  /// Whether it has anything at the node's own addresses.
  public var opensNodePorts: Bool {
    switch kind {
    case .cluster: false
    case .node: true
    case .balancer: hasNodePorts
    }
  }
}

/// The share of the pods that have a label.
public struct LabelWeight: Hashable, Sendable {
  /// The label and its value.
  public let pair: Selector.Pair
  /// 0 for none, up to ``limit``.
  public let weight: UInt16

  /// The largest share: each unit of it is an element of a map in the kernel.
  public static let limit: UInt16 = 100
}

/// A port on which a service answers.
///
/// Kubernetes name: `ServicePort`.
public struct ServicePort: Hashable, Sendable {
  /// What it is called; empty if it is the only one and has no name.
  public var name: String
  /// What it carries.
  public var transport: Transport
  /// Its number.
  public var number: UInt16
  /// The port of the pods.
  public var target: Target
  /// The port at the node's own addresses; nil if there is none yet.
  public var nodePort: UInt16?

  /// A port of a pod.
  public enum Target: Hashable, Sendable {
    case number(UInt16)
    /// As the pod calls it.
    case name(String)
  }

  /// Describes a port.
  public init(
    _ name: String = "", _ transport: Transport = .tcp, _ number: UInt16, to target: Target? = nil,
    nodePort: UInt16? = nil
  ) {
    self.name = name
    self.transport = transport
    self.number = number
    self.target = target ?? .number(number)
    self.nodePort = nodePort
  }

  /// `tcp port 80`.
  var text: String { "\(transport.name) port \(number)" }
}
