import Addressing
import CNI
import Netlink
import Nftables
import Plumbing

/// Our own back end: mappings as elements of table `inet swift_cni`.
enum NftablesMappings {
  /// Makes an attachment's mappings, and ends those that it had before.
  ///
  /// - Returns: what it claimed before.
  /// - Throws: `ProtocolError`; then nothing has changed.
  static func add(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment,
    _ loopback: LoopbackAccess?
  ) throws(ProtocolError) -> [PortMapClaim] {
    let group = try PortMapGroup(settings)
    return try settle(
      attachment, PortMapClaim.all(forwards, settings, group), group, loopback,
      "failed to map ports")
  }

  /// Keeps the pods behind a link away from the host's loopback addresses, for mappings that
  /// iptables makes.
  static func guardLoopback(
    _ attachment: Attachment, _ loopback: LoopbackAccess?, _ settings: PortMapConfiguration,
    _ log: (String) -> Void
  ) throws(ProtocolError) {
    guard let loopback else { return }
    do throws(ProtocolError) {
      _ = try settle(
        attachment, [], .usual, loopback, "failed to guard the host's loopback addresses")
    } catch {
      // Where there is no nf_tables, upstream's back end must go on working.
      log("pods behind \(loopback.link) may reach 127.0.0.1 of the host: \(error)")
    }
  }

  /// Gives an attachment back what it claimed before.
  static func restore(_ claims: [PortMapClaim], _ attachment: Attachment) throws(ProtocolError) {
    _ = try settle(attachment, claims, nil, nil, "failed to take port mappings back")
  }

  private static func settle(
    _ attachment: Attachment, _ claims: [PortMapClaim], _ group: PortMapGroup?,
    _ loopback: LoopbackAccess?, _ step: String
  ) throws(ProtocolError) -> [PortMapClaim] {
    var claims = claims
    if let loopback, loopback.isExclusive { claims.append(.guarded(loopback.link)) }
    let shared = loopback.flatMap { $0.isExclusive ? nil : $0.link }
    let change = try PacketFilter.add(step) { socket throws(NetlinkError) in
      try PortMapElements.settle(
        OwnerTag(attachment), attachment.container, comment: PortHolder.comment(attachment),
        PortMapElements.Wish(claims, group, sharedLink: shared), on: socket)
    }
    if let conflict = change.conflict { throw conflict.error }
    return change.before
  }

  /// Ends an attachment's mappings, whatever they are.
  ///
  /// - Returns: those that have ended.
  static func remove(of attachment: Attachment) throws(ProtocolError) -> [PortForward] {
    let owner = OwnerTag(attachment)
    let session = PacketFilterSession()
    return try remove(owner, in: session)
  }

  private static func remove(_ owner: OwnerTag, in session: borrowing PacketFilterSession)
    throws(ProtocolError) -> [PortForward]
  {
    var links: [InterfaceName] = []
    try PacketFilter.remove(step, in: session) { socket throws(NetlinkError) in
      links = try PortMapElements.claims(of: owner, on: socket)?.links ?? []
    }
    // The guard goes last, so that there is no moment without it.
    for link in links { try LoopbackAccess.disable(link) }
    var gone: [PortForward] = []
    try PacketFilter.remove(step, in: session) { socket throws(NetlinkError) in
      gone = try PortMapElements.settle(owner, nil, comment: "", .nothing, on: socket)
        .removed.forwards
    }
    return gone
  }

  /// Ends the mappings of all attachments of a network but these.
  ///
  /// - Returns: those that have ended.
  static func collectGarbage(_ network: NetworkName, keeping valid: Set<ValidAttachment>)
    throws(ProtocolError) -> [PortForward]
  {
    let half = OwnerTag.network(network)
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    let session = PacketFilterSession()
    var owners: [OwnerTag] = []
    try PacketFilter.remove(step, in: session) { socket throws(NetlinkError) in
      owners = try PortMapLayout.owners.all(on: socket).keys.filter {
        $0.network == half && !kept.contains($0)
      }
    }
    var gone: [PortForward] = []
    for owner in owners { gone += try remove(owner, in: session) }
    return gone
  }

  /// Looks whether an attachment has its mappings.
  ///
  /// - Returns: false if the table knows nothing of the attachment, as when upstream made it.
  /// - Throws: `ProtocolError` that names what is missing.
  static func check(
    _ forwards: [PortForward], _ settings: PortMapConfiguration, _ attachment: Attachment
  ) throws(ProtocolError) -> Bool {
    let group = try PortMapGroup(settings)
    let claims = PortMapClaim.all(forwards, settings, group)
    let fault = try PacketFilter.add("failed to look at port mappings") {
      socket throws(NetlinkError) -> String? in
      let owner = OwnerTag(attachment)
      func isOurs(_ holder: PortHolder?) -> Bool {
        holder?.owner == owner || holder?.isContainer(attachment.container) == true
      }
      let elements = try socket.elements(claims.map(\.query))
      let isKnown = try PortMapElements.claims(of: owner, on: socket) != nil
      guard isKnown || elements.contains(where: { isOurs(PortHolder($0?.comment)) }) else {
        return ""
      }
      guard try PortMapLayout.isLaid(for: group, claims.prefixes, on: socket) else {
        return "the rules of table \(Table.ours) are missing"
      }
      for (claim, element) in zip(claims, elements) {
        let wanted = claim.element("")
        guard let element else {
          return "an element of \(claim.set.name) is missing: \(claim.word)"
        }
        let holder = PortHolder(element.comment)
        guard isOurs(holder), element.value == wanted.value else {
          return "\(claim.word) belongs to \(holder?.text ?? "somebody else")"
        }
      }
      return nil
    }
    guard let fault else { return true }
    guard !fault.isEmpty else { return false }
    throw ProtocolError(
      .internalFailure, "port mappings: \(fault)",
      details: "something has changed table \(Table.ours); ADD makes it anew")
  }

  /// Forgets flows that were sent to the ports before they were mapped.
  static func forgetOldFlows(
    before forwards: [PortForward], _ log: (String) -> Void
  ) {
    guard forwards.contains(where: { $0.transport == .udp }) else { return }
    do throws(NetlinkError) {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try StaleFlows.forgetOld(before: forwards) { address, forward throws(NetlinkError) in
        // A mapping for this address alone may lead to another pod.
        guard forward.hostAddress == nil else { return false }
        let claim = PortMapClaim.forward(forward.only(at: address), group: "")
        return try socket.elements([claim.query])[0] != nil
      }
    } catch {
      log("flows to the mapped ports may go on as before: \(error)")
    }
  }

  /// Asks whether the packet filter can be reached, and changes nothing.
  static func checkPossible() throws(ProtocolError) {
    do {
      _ = try NetlinkSocket<NetfilterFamily>().generation()
    } catch {
      let told = ProtocolError(packetFilter: error, "port mappings are not possible")
      throw ProtocolError(.notReady, told.message, details: told.details)
    }
  }

  private static var step: String { "table \(Table.ours)" }
}

extension PortForward {
  /// The same mapping for one of the host's addresses.
  fileprivate func only(at address: IPAddress) -> PortForward {
    PortForward(
      transport: transport, hostPort: hostPort, hostAddress: address, pod: pod, podPort: podPort)
  }
}
