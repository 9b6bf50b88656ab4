public import Addressing
public import CNI
internal import Iptables
internal import Netlink
internal import Nftables

/// Hides pods behind the address of the link their packets leave by.
///
/// A packet from a pod's address to anything but the pod's own subnet and multicast gets the
/// host's address as its source. It is done by elements of our own table (``MasqueradeLayout``),
/// one transaction for each change. Who has which address is written down in the table itself, so
/// taking it back needs neither the container's namespace nor a previous result, and costs the same
/// with ten pods and ten thousand.
///
/// All of it happens in the network namespace the thread stands in, which is the host's.
public enum Masquerade {
  /// Masquerades an attachment's addresses, and stops it for those that it had before.
  ///
  /// Doing it again changes nothing. Addresses that an attachment of the same network had, and that
  /// must have been left behind since the network's IPAM gave them out again, are taken over.
  ///
  /// - Parameters:
  ///   - attachment: whose they are.
  ///   - addresses: each with the length of its own subnet's prefix.
  ///   - scope: which of them, and where not; all but in their own subnets if nil.
  ///   - egress: under which addresses they are seen outside, if not that of the link.
  /// - Throws: `ProtocolError`; it names what the kernel lacks, if that is why.
  public static func add(
    for attachment: Attachment, addresses: [InterfaceAddress],
    _ scope: MasqueradeScope? = nil, leavingAs egress: EgressAddresses? = nil
  ) throws(ProtocolError) {
    let hidden = (scope ?? .usual).hidden(addresses)
    try PacketFilter.add("failed to masquerade \(addresses.commaSeparated)") {
      socket throws(NetlinkError) in
      try settle(
        OwnerTag(attachment), comment: OwnerTag.comment(attachment), hidden, leavingAs: egress,
        on: socket)
    }
  }

  /// Masquerades as ``add(for:addresses:leavingAs:)`` does, and makes rules anew of which some are
  /// missing, which an ADD does not look at one by one.
  ///
  /// - Throws: `ProtocolError`.
  public static func repair(
    for attachment: Attachment, addresses: [InterfaceAddress],
    _ scope: MasqueradeScope? = nil, leavingAs egress: EgressAddresses? = nil
  ) throws(ProtocolError) {
    let hidden = (scope ?? .usual).hidden(addresses)
    try PacketFilter.add("failed to masquerade \(addresses.commaSeparated)") {
      socket throws(NetlinkError) in
      if !hidden.isEmpty, try !MasqueradeLayout.isWhole(for: hidden, on: socket) {
        try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
          var transaction = Transaction(onlyIn: try socket.generation())
          MasqueradeLayout.lay(
            for: try MasqueradeLayout.prefixes(on: socket).union(hidden.map(\.prefix)),
            in: &transaction)
          if try socket.listedChain(MasqueradeLayout.withinCluster)?.uses ?? 0 < 2 {
            MasqueradeLayout.spare(MasqueradeLayout.clusterRulesOfNode(), in: &transaction)
          }
          return transaction
        }
      }
      try settle(
        OwnerTag(attachment), comment: OwnerTag.comment(attachment), hidden, leavingAs: egress,
        on: socket)
    }
  }

  /// Stops masquerading for an attachment, whatever its addresses are or were.
  ///
  /// It is fine if there is nothing to stop, or no packet filter. What upstream's plugin left for
  /// this attachment goes too: rules of its own nftables table, and its chain in iptables.
  ///
  /// - Throws: `ProtocolError` if something may still be there.
  public static func remove(for attachment: Attachment) throws(ProtocolError) {
    try remove(for: attachment, in: PacketFilterSession())
  }

  /// Stops masquerading as ``remove(for:)`` does, in a session that may outlive it.
  public static func remove(for attachment: Attachment, in session: borrowing PacketFilterSession)
    throws(ProtocolError)
  {
    var failures = Failures()
    var leftovers: [IptablesProgram.Family] = []
    failures.attempt("failed to stop masquerading") { () throws(ProtocolError) in
      try PacketFilter.remove("table \(Table.ours)", in: session) { socket throws(NetlinkError) in
        try settle(OwnerTag(attachment), comment: "", [], on: socket)
        try UpstreamMasquerade.remove(attachment, on: socket)
        leftovers = try UpstreamMasquerade.families(
          withChain: UpstreamMasquerade.chainName(attachment), on: socket)
      }
    }
    failures.attempt("failed to remove what upstream left") { () throws(ProtocolError) in
      try UpstreamMasquerade.removeChain(of: attachment, inNftables: leftovers)
    }
    try failures.report()
  }

  /// Looks whether an attachment's addresses are masqueraded; changes nothing.
  ///
  /// The masquerading that upstream's plugin has made does as well, in nftables or in iptables: a
  /// node changes over with its pods running. It is looked for only where ours is missing.
  ///
  /// - Throws: `ProtocolError` that says what is missing.
  public static func check(
    for attachment: Attachment, addresses: [InterfaceAddress],
    _ scope: MasqueradeScope? = nil, leavingAs egress: EgressAddresses? = nil
  ) throws(ProtocolError) {
    var leftovers: [IptablesProgram.Family] = []
    let hidden = (scope ?? .usual).hidden(addresses)
    guard !hidden.isEmpty else { return }
    let missing = try PacketFilter.add("failed to look at masquerading") {
      socket throws(NetlinkError) -> String? in
      guard
        let missing = try whatIsMissing(
          OwnerTag(attachment), hidden, egress, on: socket),
        try !UpstreamMasquerade.hasRules(of: attachment, for: addresses, on: socket)
      else { return nil }
      leftovers = try UpstreamMasquerade.families(
        withChain: UpstreamMasquerade.chainName(attachment), on: socket)
      return missing
    }
    guard let missing,
      try !UpstreamMasquerade.hasChain(of: attachment, for: addresses, inNftables: leftovers)
    else { return }
    throw ProtocolError(
      .internalFailure, "masquerading of \(addresses.commaSeparated): \(missing)",
      details: "something has changed table \(Table.ours); ADD makes it anew")
  }

  /// Stops masquerading for all attachments of a network but these.
  ///
  /// What upstream's plugin left for other attachments of the network goes too.
  ///
  /// - Parameters:
  ///   - network: the network; nothing of others is touched.
  ///   - valid: what is kept.
  /// - Throws: `ProtocolError` that tells all that failed; everything else has been done.
  public static func collectGarbage(network: NetworkName, keeping valid: Set<ValidAttachment>)
    throws(ProtocolError)
  {
    let half = OwnerTag.network(network)
    let kept = Set(valid.map { OwnerTag(network: network, $0) })
    var failures = Failures()
    var leftovers: [IptablesProgram.Family] = []
    failures.attempt("failed to stop masquerading for what is gone") { () throws(ProtocolError) in
      try PacketFilter.remove("table \(Table.ours)", in: PacketFilterSession()) {
        socket throws(NetlinkError) in
        for owner in try owners(on: socket) where owner.network == half && !kept.contains(owner) {
          try settle(owner, comment: "", [], on: socket)
        }
        try UpstreamMasquerade.collectGarbage(network: half, keeping: kept, on: socket)
        leftovers = try UpstreamMasquerade.families(withChain: "POSTROUTING", on: socket)
      }
    }
    failures.attempt("failed to remove what upstream left") { () throws(ProtocolError) in
      try UpstreamMasquerade.removeChains(
        of: network, keeping: Set(valid.map(\.container)), inNftables: leftovers)
    }
    try failures.report()
  }
}

extension Masquerade {
  /// All that masquerade.
  private static func owners(on socket: borrowing NetlinkSocket<NetfilterFamily>)
    throws(NetlinkError) -> Set<OwnerTag>
  {
    let exclusive = try MasqueradeLayout.exclusive.all(on: socket)
    return try Set(exclusive.keys).union(MasqueradeLayout.shared.all(on: socket).keys)
  }

  /// What an attachment should have and has not, in words; nil if it has everything.
  private static func whatIsMissing(
    _ owner: OwnerTag, _ addresses: [HiddenAddress], _ egress: EgressAddresses?,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> String? {
    guard try MasqueradeLayout.isWhole(for: addresses, on: socket) else {
      return "the rules of table \(Table.ours) are missing"
    }
    var words = try MasqueradeLayout.exclusive.words(of: owner, on: socket)
    if words == nil {
      words = try MasqueradeLayout.shared.words(of: owner, on: socket)
    }
    guard let words else { return "the attachment has no entry" }
    let queries = addresses.flatMap {
      [MasqueradeLayout.source($0.address), MasqueradeLayout.ownSubnet($0)]
    }
    for (query, element) in zip(queries, try socket.elements(queries)) where element == nil {
      return "an element of set \(query.set.name) is missing"
    }
    for address in Set(addresses.map(\.address)) {
      guard let outside = egress?.address(address.family) else { continue }
      let element = try socket.elements([MasqueradeLayout.egress(address)]).first ?? nil
      guard element?.value == .data(ElementKey(.address(outside))) else {
        return "\(address) does not leave as \(outside)"
      }
    }
    let unknown = addresses.filter { !words.contains($0.description) }
    let texts = unknown.map(\.description).joined(separator: ", ")
    return unknown.isEmpty ? nil : "\(texts) belongs to another attachment"
  }
}

extension [InterfaceAddress] {
  fileprivate var commaSeparated: String { map(\.description).joined(separator: ", ") }
}
