internal import Addressing
internal import CNI
internal import Netlink
internal import Nftables
internal import Plumbing

/// Drops what a container sends under another hardware address than its own: `macspoofchk`.
///
///     set spoof_checked { "veth6fd94d50" }                      ports that are checked
///     set spoof_allowed { "veth6fd94d50" . 0a:58:0a:01:02:03 }  the address each may use
///
///     chain spoof_check {  hooked into the bridge's prerouting
///       iifname @spoof_checked iifname . ether saddr != @spoof_allowed drop
///     }
///
/// A port is two elements, so a frame costs the same with any number of them. Only the frame's
/// sender is looked at, as upstream does: not what an ARP packet says inside.
enum SpoofCheck {
  /// Checks what comes in by a port.
  ///
  /// Doing it again changes nothing. A port that was another attachment's is taken over, since
  /// that one must be gone.
  ///
  /// - Throws: `ProtocolError`; it names what the kernel lacks, if that is why.
  static func add(for attachment: Attachment, port: InterfaceName, _ address: HardwareAddress)
    throws(ProtocolError)
  {
    let owner = OwnerTag(attachment)
    let guarded = GuardedPort(port: port, address: address)
    try PacketFilter.add("failed to setup spoof-check: port \(port)") {
      socket throws(NetlinkError) in
      try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
        var transaction = Transaction()
        if try !SpoofCheckLayout.isLaid(on: socket) {
          SpoofCheckLayout.lay(in: &transaction)
        }
        if try !isInForce(guarded, of: owner, on: socket) {
          let holder = try holder(of: port, on: socket)
          try forget(
            Set([owner, holder].compactMap(\.self)), guarded.queries, in: &transaction, on: socket)
          SpoofCheckLayout.register.write(guarded.words, of: owner, in: &transaction)
          guarded.write(OwnerTag.comment(attachment), in: &transaction)
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
  static func remove(for attachment: Attachment) throws(ProtocolError) {
    try remove(for: attachment, in: PacketFilterSession())
  }

  /// Stops checking as ``remove(for:)`` does, in a session that may outlive it.
  static func remove(for attachment: Attachment, in session: borrowing PacketFilterSession)
    throws(ProtocolError)
  {
    try PacketFilter.remove("failed to teardown spoof-check", in: session) {
      socket throws(NetlinkError) in
      try remove(OwnerTag(attachment), on: socket)
      try UpstreamSpoofCheck.remove(attachment, on: socket)
    }
  }

  /// Looks whether an attachment's port is checked; changes nothing.
  ///
  /// - Throws: `ProtocolError` that says what is missing.
  static func check(for attachment: Attachment, port: InterfaceName, _ address: HardwareAddress)
    throws(ProtocolError)
  {
    let guarded = GuardedPort(port: port, address: address)
    let isThere = try PacketFilter.add("failed to look at spoof-check") {
      socket throws(NetlinkError) in
      guard try SpoofCheckLayout.isLaid(on: socket) else { return false }
      return try isInForce(guarded, of: OwnerTag(attachment), on: socket)
    }
    guard isThere else {
      throw ProtocolError(
        .internalFailure, "spoof-check of port \(port) with address \(address) is not in force",
        details: "something has changed table \(Table.oursOnBridges); ADD makes it anew")
    }
  }

  /// Stops checking for all attachments of a network but these.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  static func collectGarbage(network: NetworkName, keeping valid: Set<ValidAttachment>)
    throws(ProtocolError)
  {
    let half = OwnerTag.network(network)
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    try PacketFilter.remove(
      "failed to teardown spoof-check of what is gone", in: PacketFilterSession()
    ) {
      socket throws(NetlinkError) in
      for owner in try SpoofCheckLayout.register.all(on: socket).keys
      where owner.network == half && !kept.contains(owner) {
        try remove(owner, on: socket)
      }
    }
  }
}

extension SpoofCheck {
  private static func remove(
    _ owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var transaction = Transaction()
      try forget([owner], in: &transaction, on: socket)
      return transaction
    }
  }

  /// Adds the commands that take away all that these owners have, and these elements.
  private static func forget(
    _ owners: Set<OwnerTag>, _ elements: [ElementQuery] = [], in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    var queries = Set(elements)
    for owner in owners {
      guard let words = try SpoofCheckLayout.register.words(of: owner, on: socket) else { continue }
      SpoofCheckLayout.register.erase(words, of: owner, in: &transaction)
      queries.formUnion(GuardedPort(words: words)?.queries ?? [])
    }
    let asked = Array(queries)
    for (query, element) in zip(asked, try socket.elements(asked)) where element != nil {
      transaction.delete(query.key, from: query.set)
    }
  }

  /// Whether an attachment has this port and address, and nothing of it is missing.
  private static func isInForce(
    _ guarded: GuardedPort, of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    guard try SpoofCheckLayout.register.words(of: owner, on: socket) == guarded.words else {
      return false
    }
    return try !socket.elements(guarded.queries).contains(nil)
  }

  /// Whose a port is now.
  private static func holder(
    of port: InterfaceName, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> OwnerTag? {
    let query = ElementQuery(ElementKey(.interface(port)), in: SpoofCheckLayout.checked)
    return try socket.elements([query])[0]?.comment.flatMap(OwnerTag.init(beginning:))
  }
}

/// A port and the only hardware address that may send from it.
private struct GuardedPort {
  let port: InterfaceName
  let address: HardwareAddress

  init(port: InterfaceName, address: HardwareAddress) {
    self.port = port
    self.address = address
  }

  /// Reads what the register says; nil for words that somebody else wrote.
  init?(words: [String]) {
    guard words.count == 2 else { return nil }
    do {
      port = try InterfaceName(words[0])
      address = try HardwareAddress(words[1])
    } catch {
      return nil
    }
  }

  /// As the register keeps it.
  var words: [String] { [port.text, address.description] }

  /// Where its elements stand.
  var queries: [ElementQuery] {
    [
      ElementQuery(ElementKey(.interface(port)), in: SpoofCheckLayout.checked),
      ElementQuery(
        ElementKey(.interface(port), .hardwareAddress(address)), in: SpoofCheckLayout.allowed),
    ]
  }

  /// Adds the commands that make its elements.
  func write(_ comment: String, in transaction: inout Transaction) {
    for query in queries {
      transaction.add(Element(query.key, comment: comment), to: query.set, ifThere: .refused)
    }
  }
}
