internal import Addressing
internal import Netlink
internal import Nftables

extension Masquerade {
  /// Makes an attachment claim these addresses and no others, whatever was there.
  ///
  /// - Parameters:
  ///   - owner: the attachment.
  ///   - comment: what stands beside its addresses.
  ///   - addresses: what it claims; none takes its claim away.
  ///   - egress: under which addresses it is seen outside.
  ///   - socket: where the packet filter is.
  /// - Throws: `NetlinkError` if the kernel refuses.
  static func settle(
    _ owner: OwnerTag, comment: String, _ addresses: [HiddenAddress],
    leavingAs egress: EgressAddresses? = nil, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      var change = MasqueradeChange(
        owner, comment: comment, addresses, at: try socket.generation())
      change.egress = egress
      return try change.transaction(on: socket)
    }
  }
}

/// One try to change an attachment's claim.
private struct MasqueradeChange {
  let owner: OwnerTag
  let ownComment: String
  let addresses: [HiddenAddress]
  let generation: RulesetGeneration
  /// Under which addresses the attachment is seen outside.
  var egress: EgressAddresses?

  private var before = MasqueradeClaims()
  private var present: [ElementQuery: Element?] = [:]
  /// Only what nobody else can touch may be changed while others change theirs.
  private var isOursAlone = true

  init(
    _ owner: OwnerTag, comment: String, _ addresses: [HiddenAddress],
    at generation: RulesetGeneration
  ) {
    self.owner = owner
    ownComment = comment
    self.addresses = addresses
    self.generation = generation
  }

  /// Looks, and says what must change.
  mutating func transaction(on socket: borrowing NetlinkSocket<NetfilterFamily>)
    throws(NetlinkError) -> Transaction
  {
    var prefixes: Set<Prefix>?
    if !addresses.isEmpty {
      prefixes = try missingLayout(on: socket)
    }
    let holders = try readClaims(on: socket)
    var after = before
    if addresses.isEmpty {
      after.remove(owner)
    } else {
      after.claim(addresses, for: owner, heldBy: holders)
    }
    if !after.shared.isEmpty || !before.shared.isEmpty {
      isOursAlone = false
    }
    var transaction = isOursAlone ? Transaction() : Transaction(onlyIn: generation)
    if let prefixes {
      MasqueradeLayout.lay(for: prefixes, in: &transaction)
      if try socket.listedChain(MasqueradeLayout.withinCluster) == nil {
        MasqueradeLayout.spare(MasqueradeLayout.clusterRulesOfNode(), in: &transaction)
      }
    }
    write(MasqueradeLayout.exclusive, before.exclusive, after.exclusive, in: &transaction)
    write(MasqueradeLayout.shared, before.shared, after.shared, in: &transaction)
    try writeElements(after, in: &transaction, on: socket)
    return transaction
  }
}

extension MasqueradeChange {
  /// The prefixes to lay out for, if anything of the layout is missing; nil if all is there.
  private mutating func missingLayout(on socket: borrowing NetlinkSocket<NetfilterFamily>)
    throws(NetlinkError) -> Set<Prefix>?
  {
    let needed = Set(addresses.map(\.prefix))
    var isMissing = try !MasqueradeLayout.isLaid(on: socket)
    if egress?.addresses.isEmpty == false {
      // An older table has no such maps.
      for family in IPFamily.allCases where !isMissing {
        isMissing = try !socket.has(MasqueradeLayout.egress(family).set)
      }
    }
    for prefix in needed where !isMissing {
      isMissing = try !socket.has(MasqueradeLayout.ownSubnets(prefix))
    }
    guard isMissing else { return nil }
    isOursAlone = false
    return try MasqueradeLayout.prefixes(on: socket).union(needed)
  }

  /// Reads the claims that matter, and tells who holds the addresses.
  private mutating func readClaims(on socket: borrowing NetlinkSocket<NetfilterFamily>)
    throws(NetlinkError) -> [MasqueradeClaims.Holder]
  {
    let exclusive = MasqueradeLayout.exclusive
    let shared = MasqueradeLayout.shared
    let entries = [exclusive.firstEntry(of: owner), shared.firstEntry(of: owner)]
    let sources = Set(addresses.map(\.address)).map(MasqueradeLayout.source)
    try look(for: entries + sources + addresses.map(MasqueradeLayout.ownSubnet), on: socket)

    before.exclusive[owner] = try exclusive.words(
      in: element(entries[0]), of: owner, on: socket)?.addresses
    let holders = sources.compactMap {
      MasqueradeClaims.Holder(comment: element($0)?.comment)
    }
    for case .attachment(let other) in holders where other != owner {
      before.exclusive[other] = try exclusive.words(of: other, on: socket)?.addresses
    }
    let meetsOtherNetwork = before.exclusive.keys.contains { $0.network != owner.network }
    if element(entries[1]) != nil || holders.contains(.several) || meetsOtherNetwork {
      before.shared = try shared.all(on: socket).mapValues(\.addresses)
    }
    return holders
  }

  /// Adds the commands that turn one state of a register into another.
  private func write(
    _ register: OwnerRegister, _ before: [OwnerTag: [HiddenAddress]],
    _ after: [OwnerTag: [HiddenAddress]], in transaction: inout Transaction
  ) {
    for (owner, addresses) in before where after[owner] != addresses {
      register.erase(addresses.words, of: owner, in: &transaction)
    }
    for (owner, addresses) in after where before[owner] != addresses {
      register.write(addresses.words, of: owner, in: &transaction)
    }
  }

  /// Adds the commands that turn the elements there are into those there must be.
  private mutating func writeElements(
    _ after: MasqueradeClaims, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let touched = before.allAddresses.union(after.allAddresses)
    let kept = after.allAddresses
    let hosts = Set(touched.map(\.address))
    try look(
      for: hosts.map(MasqueradeLayout.source) + hosts.map(MasqueradeLayout.egress)
        + touched.map(MasqueradeLayout.ownSubnet), on: socket)

    for host in hosts {
      let query = MasqueradeLayout.source(host)
      let comment = after.comment(of: host, owned: ownComment)
      let there = element(query)
      guard there == nil ? comment != nil : there?.comment != comment else { continue }
      if there != nil {
        transaction.delete(query.key, from: query.set)
      }
      if let comment {
        transaction.add(Element(query.key, comment: comment), to: query.set, ifThere: .refused)
      }
    }
    let own = Set(addresses.map(\.address))
    for host in hosts {
      let stays = after.comment(of: host, owned: ownComment) != nil
      writeEgress(of: host, isOwn: own.contains(host), stays: stays, in: &transaction)
    }
    for address in touched {
      let query = MasqueradeLayout.ownSubnet(address)
      switch (element(query) != nil, kept.contains(address)) {
      case (true, false): transaction.delete(query.key, from: query.set)
      case (false, true): transaction.add(Element(query.key), to: query.set, ifThere: .refused)
      default: break
      }
    }
  }

  /// Adds the commands that let an address leave as it must.
  ///
  /// Of an address that another network's attachment has too, only its own element is taken away.
  private mutating func writeEgress(
    of host: IPAddress, isOwn: Bool, stays: Bool, in transaction: inout Transaction
  ) {
    let query = MasqueradeLayout.egress(host)
    let there = element(query)
    let wanted = isOwn ? egress?.address(host.family) : nil
    let value = wanted.map { Element.Value.data(ElementKey(.address($0))) }
    guard there?.value != value || there?.comment != value.map({ _ in ownComment }) else { return }
    if let there {
      let isOurs = there.comment.flatMap { OwnerTag(beginning: $0) } == owner
      guard !stays || isOwn || isOurs else { return }
      transaction.delete(query.key, from: query.set)
    }
    if let value {
      transaction.add(
        Element(query.key, value: value, comment: ownComment), to: query.set, ifThere: .refused)
    }
  }

  /// Looks for elements that have not been looked for.
  private mutating func look(
    for queries: [ElementQuery], on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let unknown = queries.filter { present[$0] == nil }
    for (query, element) in zip(unknown, try socket.elements(unknown)) {
      present[query] = .some(element)
    }
  }

  private func element(_ query: ElementQuery) -> Element? {
    present[query] ?? nil
  }
}

extension [HiddenAddress] {
  /// As the register keeps them.
  fileprivate var words: [String] { map(\.description) }
}

extension [String] {
  /// What the register's words say; a word that is no address was written by someone else.
  fileprivate var addresses: [HiddenAddress] {
    compactMap { HiddenAddress($0) }
  }
}
