internal import Addressing
internal import Linux
internal import Netlink
internal import Nftables
internal import RouteNetlink

/// The flat network of the host in whose namespace it is opened.
///
/// All state in the kernel can be told from others': tunnels by name and alias, routes and neighbours
/// by their maker's number, rules by their table. So an apply is a full difference with what is there:
/// what is missing comes, what is stale goes, what others have made stays.
public struct FlatNetwork: ~Copyable {
  let routes: RouteSocket
  let filter: NetlinkSocket<NetfilterFamily>

  /// Opens it in the thread's current namespace.
  ///
  /// - Throws: ``OverlayError``.
  public init() throws(OverlayError) {
    do throws(NetlinkError) {
      let routes = try RouteSocket()
      let filter = try NetlinkSocket<NetfilterFamily>()
      self.routes = routes
      self.filter = filter
    } catch {
      throw .kernel(error)
    }
  }

  /// What an apply has done.
  public struct Outcome: Hashable, Sendable {
    /// What has changed, in words; nothing if all was there.
    public var changes: [String] = []
    /// What could not be done without touching what others have made.
    public var problems: [String] = []
  }
}

extension FlatNetwork {
  /// Makes all that a plan asks for, and removes what of ours it does not ask for.
  ///
  /// The filter comes first, so that no tunnel is ever open to others.
  ///
  /// - Throws: ``OverlayError``; what came before is done, and the next apply goes on.
  public borrowing func apply(_ plan: OverlayPlan) throws(OverlayError) -> Outcome {
    var outcome = Outcome()
    try enableForwarding(for: plan.node, &outcome)
    do throws(NetlinkError) {
      let layout = PeerFilter(plan)
      if try !layout.isLaid(on: filter) {
        try filter.commit(layout.replacement)
        outcome.changes.append("replace table \(PeerFilter.table)")
      }
    } catch {
      throw .kernel(error)
    }
    let links = try applyTunnels(plan.tunnels, cluster: plan.node.cluster, &outcome)
    try applyEntries(try entries(plan, links), links: Array(links.values), &outcome)
    return outcome
  }

  /// What an apply would do; changes nothing.
  ///
  /// - Throws: ``OverlayError``.
  public borrowing func pending(_ plan: OverlayPlan) throws(OverlayError) -> [String] {
    var changes: [String] = []
    let layout = PeerFilter(plan)
    if try !asking({ () throws(NetlinkError) in try layout.isLaid(on: filter) }) {
      changes.append("replace table \(PeerFilter.table)")
    }
    let (steps, links) = try asking { () throws(NetlinkError) in
      try tunnelSteps(to: plan.tunnels, cluster: plan.node.cluster)
    }
    changes += steps.map(\.summary)
    let present = try asking { () throws(NetlinkError) in
      try presentEntries(links: Array(links.values))
    }
    let wanted = try entries(plan, links)
    return changes + Reconciliation.steps(to: wanted, from: present).map(\.summary)
  }

  /// Removes all that is ours.
  ///
  /// - Throws: ``OverlayError``.
  public borrowing func remove() throws(OverlayError) -> Outcome {
    var outcome = Outcome()
    try applyEntries(OverlayEntries(), links: [], &outcome)
    _ = try applyTunnels([], cluster: [], &outcome)
    do throws(NetlinkError) {
      if try PeerFilter.isPresent(on: filter) {
        try filter.commit(PeerFilter.removal)
        outcome.changes.append("delete table \(PeerFilter.table)")
      }
    } catch {
      throw .kernel(error)
    }
    return outcome
  }

  /// Tells what the kernel refuses.
  borrowing func asking<Answer>(_ question: () throws(NetlinkError) -> Answer)
    throws(OverlayError) -> Answer
  {
    do throws(NetlinkError) {
      return try question()
    } catch {
      throw .kernel(error)
    }
  }
}
