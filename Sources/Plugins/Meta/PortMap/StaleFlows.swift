import Addressing
import CNI
import Conntrack
import Netlink
import Plumbing
import RouteNetlink

/// Flows of datagrams that go another way than the mappings say.
///
/// A client that keeps sending keeps its flow alive, and with it the way that the first packet went:
/// to the host itself before there was a mapping, or to a pod that is gone. TCP and SCTP need
/// nothing of the kind, since their flows end with an answer or without one.
enum StaleFlows {
  /// Forgets flows that were sent to a port before it was mapped, or while it led elsewhere.
  ///
  /// Only flows that were sent to the port at an address of the host itself, and that do not go to
  /// the pod. Not those that a mapping for one address of the host leads elsewhere.
  ///
  /// - Parameters:
  ///   - forwards: the mappings.
  ///   - isLedElsewhere: whether a mapping for an address leads somewhere else.
  /// - Throws: `NetlinkError`.
  static func forgetOld(
    before forwards: [PortForward],
    unless isLedElsewhere: (IPAddress, PortForward) throws(NetlinkError) -> Bool
  ) throws(NetlinkError) {
    try forget(forwards) { flow, forward, isLocal throws(NetlinkError) in
      let destination = flow.original.destination
      guard forward.isSent(to: destination), !forward.isWay(of: flow) else { return false }
      guard try isLocal(destination) else { return false }
      return try !isLedElsewhere(destination, forward)
    }
  }

  /// Forgets flows that went to the pod through mappings that are gone.
  ///
  /// What stands in its way is told to the operator: the mappings are gone all the same.
  static func forgetWays(of forwards: [PortForward], _ log: (String) -> Void) {
    do {
      try forget(forwards) { flow, forward, _ throws(NetlinkError) in
        forward.isSent(to: flow.original.destination) && forward.isWay(of: flow)
      }
    } catch {
      log("flows through mappings that are gone may go on: \(error)")
    }
  }

  /// Tells whether an address is one of the host's.
  private typealias LocalTest = (IPAddress) throws(NetlinkError) -> Bool

  private static func forget(
    _ forwards: [PortForward],
    where isStale: (Flow, PortForward, LocalTest) throws(NetlinkError) -> Bool
  ) throws(NetlinkError) {
    let forwards = forwards.filter { $0.transport == .udp }
    guard !forwards.isEmpty else { return }
    let socket = try NetlinkSocket<ConntrackFamily>()
    // Closing it would wait for what the packet filter is still freeing.
    socket.closeInBackground()
    var known: [IPAddress: Bool] = [:]
    func isLocal(_ address: IPAddress) throws(NetlinkError) -> Bool {
      if let answer = known[address] { return answer }
      let route = try NetlinkSocket<RouteFamily>().findRoute(to: address)
      known[address] = route?.type == .local
      return route?.type == .local
    }
    for family in IPFamily.allCases {
      let ours = forwards.filter { $0.family == family }
      let ports = Set(ours.map(\.hostPort))
      guard let port = ports.first else { continue }
      let filter = FlowFilter(
        family, transport: Transport.udp.rawValue, toPort: ports.count == 1 ? port : nil)
      var stale: [Flow] = []
      for flow in try socket.flows(filter) where ports.contains(flow.original.destinationPort) {
        let port = flow.original.destinationPort
        for forward in ours where forward.hostPort == port {
          if try isStale(flow, forward, isLocal) {
            stale.append(flow)
            break
          }
        }
      }
      try socket.forget(stale)
    }
  }
}

extension PortForward {
  /// Whether a flow goes where this mapping leads.
  fileprivate func isWay(of flow: Flow) -> Bool {
    flow.reply.source == pod.address && flow.reply.sourcePort == podPort
  }
}
