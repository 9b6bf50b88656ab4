public import CNI
internal import Netlink
internal import Nftables
internal import Plumbing

extension Firewall {
  /// Tells whether an ADD could succeed now, and whether what it lets through would pass.
  ///
  /// - Throws: `ProtocolError`, code 50 if something is missing, 51 if somebody else drops what pods
  ///   send.
  public static func status(_ request: Request) throws(ProtocolError) {
    let settings = try FirewallConfiguration(request)
    do {
      switch settings.backend {
      case .nftables: try checkNftables()
      case .iptables: try IptablesFilter.checkPossible()
      case .firewalld(let zone): try FirewalldFilter.checkPossible(zone, request)
      }
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
    guard settings.checksForwarding else { return }
    let blockers = try ForwardBlocker.all(besides: settings.backend)
    guard !blockers.isEmpty else { return }
    throw ProtocolError(
      .limitedConnectivity,
      "packets of pods are dropped by "
        + blockers.map { "chain \($0.chain)" }.joined(separator: " and by "),
      details: blockers.map { "to open chain \($0.chain): \($0.remedy)" }.joined(separator: "; "))
  }

  private static func checkNftables() throws(ProtocolError) {
    try PacketFilter.add("letting packets through is not possible") {
      socket throws(NetlinkError) in
      _ = try socket.generation()
    }
  }
}
