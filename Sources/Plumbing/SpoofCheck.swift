public import CNI
internal import Netlink
internal import Nftables

/// Drops what a container sends under other addresses than its own.
///
/// `macspoofchk` looks at the sender of a frame alone, as upstream does: not at what an ARP packet
/// says inside. `ipspoofchk` lets nothing pass but ARP, IPv4 and IPv6 from the addresses that the
/// container has been given, as their sender and as what it says its neighbours about itself; nor
/// does it let a container speak as a router or as a server of addresses.
public struct SpoofCheck: Sendable {
  private let layout: SpoofCheckLayout

  /// Of what comes in by ports of bridges.
  public static let onBridge = SpoofCheck(layout: .onBridge)
  /// Of what comes in by links that the host routes from; hardware addresses say nothing there.
  public static let routed = SpoofCheck(layout: .routed)

  /// Checks what comes in by a port.
  ///
  /// Doing it again changes nothing. A port that was another attachment's is taken over, since
  /// that one must be gone.
  ///
  /// - Throws: `ProtocolError`; it names what the kernel lacks, if that is why.
  public func add(for attachment: Attachment, _ guarded: GuardedPort) throws(ProtocolError) {
    let owner = OwnerTag(attachment)
    try PacketFilter.add("failed to setup spoof-check: port \(guarded.port)") {
      socket throws(NetlinkError) in
      try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
        var transaction = Transaction()
        if try !layout.isLaid(for: guarded, on: socket) {
          layout.lay(for: guarded, in: &transaction)
        }
        if try !isInForce(guarded, of: owner, on: socket) {
          let queries = layout.queries(guarded)
          let holder = try holder(of: queries, on: socket)
          try forget(
            Set([owner, holder].compactMap(\.self)), queries, in: &transaction, on: socket)
          layout.register.write(guarded.words, of: owner, in: &transaction)
          let comment = OwnerTag.comment(attachment)
          for query in queries {
            transaction.add(Element(query.key, comment: comment), to: query.set, ifThere: .refused)
          }
        }
        return transaction
      }
    }
  }

  /// Stops checking for an attachment, whatever its port was.
  ///
  /// It is fine if nothing was checked. What upstream's plugin left for it goes too.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  public func remove(for attachment: Attachment) throws(ProtocolError) {
    try remove(for: attachment, in: PacketFilterSession())
  }

  /// Stops checking as ``remove(for:)`` does, in a session that may outlive it.
  public func remove(for attachment: Attachment, in session: borrowing PacketFilterSession)
    throws(ProtocolError)
  {
    try PacketFilter.remove("failed to teardown spoof-check", in: session) {
      socket throws(NetlinkError) in
      try remove(OwnerTag(attachment), on: socket)
      if layout.isOnBridge { try UpstreamSpoofCheck.remove(attachment, on: socket) }
    }
  }

  /// Looks whether an attachment's port is checked; changes nothing.
  ///
  /// - Throws: `ProtocolError` that says what is missing.
  public func check(for attachment: Attachment, _ guarded: GuardedPort) throws(ProtocolError) {
    let isThere = try PacketFilter.add("failed to look at spoof-check") {
      socket throws(NetlinkError) in
      guard try layout.isLaid(for: guarded, on: socket) else { return false }
      return try isInForce(guarded, of: OwnerTag(attachment), on: socket)
    }
    guard isThere else {
      throw ProtocolError(
        .internalFailure,
        "spoof-check of port \(guarded.port) with address \(guarded.address) is not in force",
        details: "something has changed table \(layout.table); ADD makes it anew")
    }
  }

  /// Stops checking for all attachments of a network but these.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  public func collectGarbage(network: NetworkName, keeping valid: Set<ValidAttachment>)
    throws(ProtocolError)
  {
    let half = OwnerTag.network(network)
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    try PacketFilter.remove(
      "failed to teardown spoof-check of what is gone", in: PacketFilterSession()
    ) {
      socket throws(NetlinkError) in
      for owner in try layout.register.all(on: socket).keys
      where owner.network == half && !kept.contains(owner) {
        try remove(owner, on: socket)
      }
    }
  }
}

extension SpoofCheck {
  private func remove(
    _ owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var transaction = Transaction()
      try forget([owner], in: &transaction, on: socket)
      return transaction
    }
  }

  /// Adds the commands that take away all that these owners have, and these elements.
  private func forget(
    _ owners: Set<OwnerTag>, _ elements: [ElementQuery] = [], in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    var queries = Set(elements)
    for owner in owners {
      guard let words = try layout.register.words(of: owner, on: socket) else { continue }
      layout.register.erase(words, of: owner, in: &transaction)
      queries.formUnion(GuardedPort(words: words).map(layout.queries) ?? [])
    }
    let asked = Array(queries)
    for (query, element) in zip(asked, try socket.elements(asked)) where element != nil {
      transaction.delete(query.key, from: query.set)
    }
  }

  /// Whether an attachment has this port and these addresses, and nothing of it is missing.
  private func isInForce(
    _ guarded: GuardedPort, of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    guard try layout.register.words(of: owner, on: socket) == guarded.words else { return false }
    return try !socket.elements(layout.queries(guarded)).contains(nil)
  }

  /// Whose a port is now, by the first of its elements.
  private func holder(
    of queries: [ElementQuery], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> OwnerTag? {
    try socket.elements(Array(queries.prefix(1)))[0]?.comment.flatMap(OwnerTag.init(beginning:))
  }
}
