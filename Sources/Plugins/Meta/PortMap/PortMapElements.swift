import Addressing
import CNI
import Netlink
import Nftables
import Plumbing

/// Mappings as elements of our table: what an attachment claims, changed in one transaction.
enum PortMapElements {
  /// What a change came to.
  struct Change {
    /// What the attachment claimed before.
    var before: [PortMapClaim] = []
    /// The claims whose elements have gone.
    var removed: [PortMapClaim] = []
    /// Why nothing was changed.
    var conflict: PortConflict?
  }

  /// What is asked for besides the claims.
  struct Wish {
    let claims: [PortMapClaim]
    /// The group that the claims stand in; its rules are made if they are missing.
    let group: PortMapGroup?
    /// A link that many attachments share, and that is to be guarded from now on.
    let sharedLink: InterfaceName?

    init(_ claims: [PortMapClaim], _ group: PortMapGroup?, sharedLink: InterfaceName? = nil) {
      self.claims = claims
      self.group = group
      self.sharedLink = sharedLink
    }

    static let nothing = Wish([], nil)
  }

  /// Makes an attachment claim these things and no others, whatever was there.
  ///
  /// A port that another container holds is refused, and then nothing changes. What another
  /// attachment of the same container holds is left to it. What an attachment of the same network
  /// held for the same address is taken: the network's IPAM gave the address out again, so it is gone.
  ///
  /// - Parameters:
  ///   - owner: the attachment.
  ///   - container: its container.
  ///   - comment: what stands beside its elements.
  ///   - wish: what it claims.
  ///   - socket: where the packet filter is.
  /// - Returns: what it came to.
  /// - Throws: `NetlinkError` if the kernel refuses.
  static func settle(
    _ owner: OwnerTag, _ container: ContainerID?, comment: String, _ wish: Wish,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Change {
    var change = Change()
    try PacketFilter.commit(on: socket) { () throws(NetlinkError) in
      change = Change()
      return try plan(owner, container, comment, wish, &change, on: socket)
    }
    return change
  }

  /// What an attachment claims; nil if the table knows nothing of it.
  static func claims(
    of owner: OwnerTag, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> [PortMapClaim]? {
    try PortMapLayout.owners.words(of: owner, on: socket)?.compactMap(PortMapClaim.init(word:))
  }

  /// What a wish asks for; nothing if it conflicts with what others have.
  private static func plan(
    _ owner: OwnerTag, _ container: ContainerID?, _ comment: String, _ wish: Wish,
    _ change: inout Change, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Transaction {
    var transaction = Transaction()
    let prefixes = wish.claims.prefixes
    if let group = wish.group, try !PortMapLayout.isLaid(for: group, prefixes, on: socket) {
      transaction = Transaction(onlyIn: try socket.generation())
      try PortMapLayout.lay(for: group, prefixes, in: &transaction, on: socket)
    }
    let words = try PortMapLayout.owners.words(of: owner, on: socket)
    change.before = words?.compactMap(PortMapClaim.init(word:)) ?? []

    var claimed: [PortMapClaim] = []
    let gone = change.before.filter { !wish.claims.contains($0) }
    let found = try socket.elements((wish.claims + gone).map(\.query))
    for (claim, element) in zip(wish.claims, found) {
      let wanted = claim.element(comment)
      guard let element else {
        transaction.add(wanted, to: claim.set, ifThere: .refused)
        claimed.append(claim)
        continue
      }
      let holder = PortHolder(element.comment)
      if holder?.owner == owner, element.value == wanted.value {
        claimed.append(claim)
        continue
      }
      switch Stance(to: holder, element, claim, owner, container) {
      case .takes:
        transaction.delete(wanted.key, from: claim.set)
        transaction.add(wanted, to: claim.set, ifThere: .refused)
        claimed.append(claim)
      case .leaves:
        break
      case .refuses(let forward):
        change.conflict = PortConflict(
          forward: forward, holder: holder, target: element.value?.target ?? "elsewhere")
        return Transaction()
      }
    }
    change.removed = release(
      zip(gone, found.dropFirst(wish.claims.count)).filter { gone, _ in
        // A key may have been claimed anew with another value; then it has been dealt with.
        !wish.claims.contains { $0.query == gone.query }
      }, of: owner, in: &transaction)
    if let link = wish.sharedLink { try share(link, in: &transaction, on: socket) }
    replace(words, with: claimed.map(\.word), of: owner, in: &transaction)
    return transaction
  }

  /// Deletes the elements of claims that are no longer wanted, where they are still the owner's.
  ///
  /// - Returns: the claims that had one.
  private static func release(
    _ gone: [(PortMapClaim, Element?)], of owner: OwnerTag, in transaction: inout Transaction
  ) -> [PortMapClaim] {
    var released: [PortMapClaim] = []
    for case (let claim, let element?) in gone
    where PortHolder(element.comment)?.owner == owner {
      transaction.delete(element.key, from: claim.set)
      released.append(claim)
    }
    return released
  }

  /// Writes what an owner claims, unless the table has it so already.
  private static func replace(
    _ words: [String]?, with newWords: [String], of owner: OwnerTag,
    in transaction: inout Transaction
  ) {
    guard words != newWords else { return }
    if let words { PortMapLayout.owners.erase(words, of: owner, in: &transaction) }
    if !newWords.isEmpty { PortMapLayout.owners.write(newWords, of: owner, in: &transaction) }
  }

  private static func share(
    _ link: InterfaceName, in transaction: inout Transaction,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let claim = PortMapClaim.guarded(link)
    guard try socket.elements([claim.query])[0] == nil else { return }
    transaction.add(
      claim.element("shared by the pods behind this link"), to: claim.set, ifThere: .kept)
  }
}

/// What to do about an element that is there already.
private enum Stance {
  case takes
  case leaves
  case refuses(PortForward)

  init(
    to holder: PortHolder?, _ element: Element, _ claim: PortMapClaim, _ owner: OwnerTag,
    _ container: ContainerID?
  ) {
    let isSibling = container.map { holder?.isContainer($0) ?? false } ?? false
    switch claim {
    case .source: self = isSibling && holder?.owner != owner ? .leaves : .takes
    case .guarded: self = .leaves
    case .forward(let forward, _):
      guard let holder else {
        self = .refuses(forward)
        return
      }
      let isGone =
        holder.owner.network == owner.network && element.value?.address == forward.pod.address
      if holder.owner == owner || isGone {
        self = .takes
      } else if isSibling {
        self = .leaves
      } else {
        self = .refuses(forward)
      }
    }
  }
}

extension [PortMapClaim] {
  /// The prefixes of all networks whose sources are hidden.
  var prefixes: Set<Prefix> {
    Set(
      compactMap { claim in
        if case .source(let subnet, _) = claim { subnet.prefix } else { nil }
      })
  }

  /// The mappings.
  var forwards: [PortForward] {
    compactMap { claim in
      if case .forward(let forward, _) = claim { forward } else { nil }
    }
  }

  /// The links that belong to the attachment alone.
  var links: [InterfaceName] {
    compactMap { claim in
      if case .guarded(let link) = claim { link } else { nil }
    }
  }
}

extension Element.Value {
  /// The address of a mapping's value.
  fileprivate var address: IPAddress? {
    guard case .data(let key) = self else { return nil }
    return IPAddress(bytes: key.bytes.dropLast(4))
  }

  /// Address and port of a mapping's value.
  fileprivate var target: String? {
    guard case .data(let key) = self, let address else { return nil }
    let port = key.bytes.suffix(4).prefix(2).reduce(0) { $0 << 8 | Int($1) }
    return address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}
