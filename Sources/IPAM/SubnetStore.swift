public import Addressing
public import Linux

/// Which node has which subnet.
public struct SubnetClaim: Hashable, Sendable {
  /// The subnet.
  public let subnet: Subnet
  /// The node's name, or any word that no node bears, for what is kept free.
  public let node: String

  /// Describes a claim.
  public init(_ subnet: Subnet, of node: String) {
    self.subnet = subnet
    self.node = node
  }
}

/// What an allocator of subnets asks of its memory.
///
/// Files are one; the keys of etcd and the nodes of Kubernetes can be others.
public protocol SubnetStore: ~Copyable {
  /// All claims.
  ///
  /// - Throws: ``SystemError`` when they cannot all be read.
  mutating func claims() throws(SystemError) -> [SubnetClaim]

  /// Gives a subnet to a node.
  ///
  /// - Returns: false when another has it; then nothing has changed.
  /// - Throws: ``SystemError``; then nothing has changed either.
  mutating func claim(_ claim: SubnetClaim) throws(SystemError) -> Bool

  /// Takes a claim back; one that is gone already, or that is another's by now, is left alone.
  ///
  /// - Throws: ``SystemError`` when it may still be there.
  mutating func release(_ claim: SubnetClaim) throws(SystemError)
}

/// Claims in memory: for tests, and for what is decided anew each time.
public struct MemorySubnetStore: SubnetStore {
  private var holders: [Subnet: String] = [:]

  /// Begins empty.
  public init() {}

  /// All claims, by address.
  public mutating func claims() -> [SubnetClaim] {
    holders.map { SubnetClaim($0, of: $1) }.sorted { $0.subnet.first < $1.subnet.first }
  }

  /// Gives a subnet to a node; false when another has it.
  public mutating func claim(_ claim: SubnetClaim) -> Bool {
    if let holder = holders[claim.subnet] { return holder == claim.node }
    holders[claim.subnet] = claim.node
    return true
  }

  /// Takes a claim back, if it is this node's.
  public mutating func release(_ claim: SubnetClaim) {
    if holders[claim.subnet] == claim.node { holders[claim.subnet] = nil }
  }
}
