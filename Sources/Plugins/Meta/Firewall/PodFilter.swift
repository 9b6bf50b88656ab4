internal import Addressing
internal import CNI
internal import Netlink
internal import Nftables
internal import Plumbing

/// What the register says of an attachment: its addresses, and who else lets them through.
struct PodEntry: Hashable, Sendable {
  let addresses: [IPAddress]
  let backend: FirewallBackend

  init(_ addresses: [IPAddress], _ backend: FirewallBackend) {
    self.addresses = addresses
    self.backend = backend
  }

  /// Reads what ``words`` wrote; a word of somebody else is passed over.
  init(words: [String]) {
    var backend = FirewallBackend.nftables
    var addresses: [IPAddress] = []
    for word in words {
      if word == Self.iptables {
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
    self.init(addresses, backend)
  }

  /// As the register keeps it.
  var words: [String] {
    let others: [String] =
      switch backend {
      case .nftables: []
      case .iptables: [Self.iptables]
      case .firewalld(let zone): [Self.firewalld + zone]
      }
    return others + addresses.map(\.description)
  }

  private static let iptables = "iptables"
  private static let firewalld = "firewalld:"
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
    _ entry: PodEntry, of attachment: Attachment, admin: String,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let owner = OwnerTag(attachment)
    let comment = OwnerTag.comment(attachment)
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var transaction = try FirewallLayout.change(with: admin, on: socket)
      let before = try FirewallLayout.owners.words(of: owner, on: socket)
      if before != entry.words {
        if let before {
          try forget(
            PodEntry(words: before).addresses.filter { !entry.addresses.contains($0) }, of: owner,
            in: &transaction, on: socket)
          FirewallLayout.owners.erase(before, of: owner, in: &transaction)
        }
        FirewallLayout.owners.write(entry.words, of: owner, in: &transaction)
      }
      let queries = entry.addresses.map(FirewallLayout.pod)
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
      try forget(PodEntry(words: words).addresses, of: owner, in: &transaction, on: socket)
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
    for owner: OwnerTag, _ addresses: [IPAddress], admin: String,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> String? {
    guard try FirewallLayout.missingRules(with: admin, on: socket) == nil else {
      return "rules of chain \(FirewallLayout.entry.name) in table \(Table.ours) are missing"
    }
    let holders = try holders(of: addresses, on: socket)
    for address in addresses where holders[address] != owner {
      let set = FirewallLayout.pods(address.family).name
      return holders[address] == nil
        ? "\(address) is missing in set \(set) of table \(Table.ours)"
        : "\(address) belongs to another attachment by now"
    }
    return nil
  }

  /// Adds the commands that take away those of these elements that are the owner's.
  private static func forget(
    _ addresses: [IPAddress], of owner: OwnerTag, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let holders = try holders(of: addresses, on: socket)
    for address in addresses where holders[address] == owner {
      let query = FirewallLayout.pod(address)
      transaction.delete(query.key, from: query.set)
    }
  }
}
