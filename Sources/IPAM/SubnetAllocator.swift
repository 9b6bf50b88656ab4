public import Addressing
public import Linux

/// Gives each node a subnet of its own out of the cluster's range.
///
/// A node keeps what it has as long as the range holds it, whatever others say: its pods live there. A new one is looked for from a place that
/// its name decides, so that nodes that cannot see each other's claims seldom want the same.
public enum SubnetAllocator {
  /// Why a node gets no subnet.
  public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Every part is taken or reserved.
    case exhausted(SubnetPool)
    /// The store could not be read or written.
    case store(SystemError)

    /// What happened.
    public var description: String {
      switch self {
      case .exhausted(let pool):
        "no subnet of /\(pool.prefix.length) is left in \(pool.range)"
      case .store(let error): "\(error)"
      }
    }
  }

  /// How many places are tried before the range counts as used up.
  ///
  /// More nodes than this there are not; of an IPv6 range not all parts could be tried.
  private static let attempts: UInt128 = 1 << 17
  /// How many places are drawn from the name before all are tried in order.
  private static let guesses: UInt128 = 32

  /// Allots a subnet.
  ///
  /// - Parameters:
  ///   - node: the node's name.
  ///   - pool: the range and its parts.
  ///   - taken: networks that are others' or kept free, whatever their size.
  ///   - store: who has what.
  /// - Returns: the subnet, which the store has for this node.
  /// - Throws: ``Failure``.
  public static func allot<Store: SubnetStore & ~Copyable>(
    to node: String, from pool: SubnetPool, besides taken: [Subnet], in store: inout Store
  ) throws(Failure) -> Subnet {
    do throws(SystemError) {
      let claims = try store.claims()
      let own = claims.filter { $0.node == node && $0.subnet.family == pool.range.family }
      if let kept = own.first(where: { pool.holds($0.subnet) }) { return kept.subnet }
      let others = taken + claims.filter { $0.node != node }.map(\.subnet)
      let start = UInt128(IndexHash.of(node)) % pool.count
      for step in 0..<min(pool.count, attempts) + guesses {
        // Drawn at first, so that who meets one reservation does not follow the others who did.
        let place =
          step < guesses ? UInt128(IndexHash.of("\(node) \(step)")) : start + step - guesses
        let subnet = pool.part(place % pool.count)
        if others.contains(where: { $0.overlaps(subnet) }) { continue }
        guard try store.claim(SubnetClaim(subnet, of: node)) else { continue }
        // What it had before does not fit any more.
        for claim in own { try store.release(claim) }
        return subnet
      }
    } catch {
      throw .store(error)
    }
    throw .exhausted(pool)
  }
}
