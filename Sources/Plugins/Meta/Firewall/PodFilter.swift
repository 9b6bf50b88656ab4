internal import Addressing
internal import CNI
internal import Netlink
internal import Nftables
internal import Plumbing

/// What the register says of an attachment: its addresses, who else lets them through, and what they
/// may not do all the same.
struct PodEntry: Sendable {
  let addresses: [IPAddress]
  let backend: FirewallBackend
  /// The policy that its connections are under.
  let egress: EgressTable?
  /// Whether its packets without a connection are dropped.
  let dropsInvalid: Bool

  init(_ addresses: [IPAddress], _ settings: FirewallConfiguration) {
    self.addresses = addresses
    backend = settings.backend
    egress = settings.limits.egress.map(EgressTable.init)
    dropsInvalid = settings.limits.dropsInvalid
  }

  /// Reads what ``words`` wrote; a word of somebody else is passed over.
  init(words: [String]) {
    var backend = FirewallBackend.nftables
    var addresses: [IPAddress] = []
    var egress: EgressTable?
    var dropsInvalid = false
    for word in words {
      if word == Self.invalid {
        dropsInvalid = true
      } else if word.hasPrefix(Self.egress) {
        egress = EgressTable(identifier: String(word.dropFirst(Self.egress.count)))
      } else if word == Self.iptables {
        backend = .iptables
      } else if word.hasPrefix(Self.firewalld) {
        backend = .firewalld(zone: String(word.dropFirst(Self.firewalld.count)))
      } else {
        do {
          addresses.append(try IPAddress(word))
        } catch {
          continue
        }
      }
    }
    self.addresses = addresses
    self.backend = backend
    self.egress = egress
    self.dropsInvalid = dropsInvalid
  }

  /// As the register keeps it.
  var words: [String] {
    let others: [String] =
      switch backend {
      case .nftables: []
      case .iptables: [Self.iptables]
      case .firewalld(let zone): [Self.firewalld + zone]
      }
    let limits =
      (egress.map { [Self.egress + $0.identifier] } ?? [])
      + (dropsInvalid ? [Self.invalid] : [])
    return others + limits + addresses.map(\.description)
  }

  private static let iptables = "iptables"
  private static let firewalld = "firewalld:"
  private static let egress = "egress:"
  private static let invalid = "dropInvalid"
}

/// What pods may not do although they are let through.
struct PodLimits: Sendable {
  /// Where alone they may open connections to: key `egressPolicy`.
  let egress: EgressPolicy?
  /// Whether what belongs to no connection is dropped: key `dropInvalid`.
  let dropsInvalid: Bool

  /// They may do all.
  static let none = PodLimits(egress: nil, dropsInvalid: false)
}

/// The elements of pods in our table: one for each address, and one that says whose they are.
enum PodFilter {
  /// Makes an attachment's elements, instead of those that it had before.
  ///
  /// An address that another network's attachment has is taken over: it can only lead to one of
  /// them, and the last one is where it leads.
  ///
  /// - Throws: `NetlinkError` if the kernel refuses.
  static func add(
    _ entry: PodEntry, _ settings: FirewallConfiguration, of attachment: Attachment,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let owner = OwnerTag(attachment)
    let comment = OwnerTag.comment(attachment)
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var transaction = try FirewallLayout.change(
        with: settings.adminChain, settings.limits, on: socket)
      let queries = FirewallLayout.elements(of: entry)
      let before = try FirewallLayout.owners.words(of: owner, on: socket)
      if before != entry.words {
        if let before {
          let old = FirewallLayout.elements(of: PodEntry(words: before))
          try forget(
            old.filter { !queries.contains($0) }, of: owner, in: &transaction, on: socket)
          FirewallLayout.owners.erase(before, of: owner, in: &transaction)
        }
        FirewallLayout.owners.write(entry.words, of: owner, in: &transaction)
      }
      for (query, element) in zip(queries, try socket.elements(queries))
      where element?.comment.flatMap(OwnerTag.init(beginning:)) != owner {
        if element != nil {
          transaction.delete(query.key, from: query.set)
        }
        transaction.add(Element(query.key, comment: comment), to: query.set, ifThere: .refused)
      }
      return transaction
    }
  }

  /// Takes away all that an attachment has in our table.
  static func remove(
    _ owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var transaction = Transaction()
      guard let words = try FirewallLayout.owners.words(of: owner, on: socket) else {
        return transaction
      }
      try forget(
        FirewallLayout.elements(of: PodEntry(words: words)), of: owner, in: &transaction,
        on: socket)
      FirewallLayout.owners.erase(words, of: owner, in: &transaction)
      return transaction
    }
  }

  /// What the register says of an attachment; nil if it says nothing.
  static func entry(
    of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> PodEntry? {
    try FirewallLayout.owners.words(of: owner, on: socket).map(PodEntry.init(words:))
  }

  /// Who has which of these addresses.
  static func holders(
    of addresses: [IPAddress], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [IPAddress: OwnerTag] {
    var holders: [IPAddress: OwnerTag] = [:]
    let elements = try socket.elements(addresses.map(FirewallLayout.pod))
    for (address, element) in zip(addresses, elements) {
      holders[address] = element?.comment.flatMap(OwnerTag.init(beginning:))
    }
    return holders
  }

  /// What an attachment should have and has not, in words; nil if it has everything.
  static func whatIsMissing(
    for owner: OwnerTag, _ entry: PodEntry, _ settings: FirewallConfiguration,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> String? {
    let limits = settings.limits
    guard try FirewallLayout.missingRules(with: settings.adminChain, limits, on: socket) == nil
    else {
      return "rules of chain \(FirewallLayout.entry.name) in table \(Table.ours) are missing"
    }
    guard try FirewallLayout.holds(limits.egress, on: socket) else {
      return "egressPolicy: chain \(EgressTable.entry.name) of table \(Table.ours), or what it "
        + "looks into, is not as the policy says"
    }
    let queries = FirewallLayout.elements(of: entry)
    for (query, element) in zip(queries, try socket.elements(queries)) {
      let address = IPAddress(bytes: query.key.bytes)?.description ?? "an address"
      guard let element else {
        return "\(address) is missing in set \(query.set.name) of table \(Table.ours)"
      }
      guard element.comment.flatMap(OwnerTag.init(beginning:)) == owner else {
        return "\(address) belongs to another attachment by now"
      }
    }
    return nil
  }

  /// Adds the commands that take away those of these elements that are the owner's.
  private static func forget(
    _ queries: [ElementQuery], of owner: OwnerTag, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    for (query, element) in zip(queries, try socket.elements(queries))
    where element?.comment.flatMap(OwnerTag.init(beginning:)) == owner {
      transaction.delete(query.key, from: query.set)
    }
  }
}
