internal import Addressing

/// Which attachments have which addresses, as far as one change is concerned.
///
/// Usually an address belongs to one attachment, and DEL takes away all that ADD gave without
/// looking at others. Networks that know nothing of each other may give out one address twice,
/// though. Then the second ADD must not end masquerading for the first when it is taken back. So
/// attachments that meet on an address move to a register of their own, where each change looks at
/// all of the few that are there.
///
/// Within one network an address belongs to one attachment, so whoever had it before is gone
/// without a DEL, and all that was left of it goes.
struct MasqueradeClaims: Equatable {
  /// Attachments that share no address.
  var exclusive: [OwnerTag: [HiddenAddress]] = [:]
  /// Attachments that share an address with another network's.
  var shared: [OwnerTag: [HiddenAddress]] = [:]

  /// Who is told to hold an address by the comment of its element.
  enum Holder: Equatable {
    /// This attachment, if it has a claim.
    case attachment(OwnerTag)
    /// Several.
    case several

    /// Reads the comment of an element; nil if it tells nothing.
    init?(comment: String?) {
      guard let comment else { return nil }
      if comment == Self.severalComment {
        self = .several
      } else if let tag = OwnerTag(beginning: comment) {
        self = .attachment(tag)
      } else {
        return nil
      }
    }

    /// What stands beside an address of several attachments.
    static let severalComment = "shared by several networks"
  }
}

extension MasqueradeClaims {
  /// The claim of an attachment.
  func addresses(of owner: OwnerTag) -> [HiddenAddress]? {
    exclusive[owner] ?? shared[owner]
  }

  /// All addresses that anybody here claims.
  var allAddresses: Set<HiddenAddress> {
    Set(exclusive.values.joined()).union(shared.values.joined())
  }

  /// Takes an attachment's claim away.
  mutating func remove(_ owner: OwnerTag) {
    exclusive[owner] = nil
    shared[owner] = nil
  }

  /// Lets an attachment claim addresses instead of what it claimed before.
  ///
  /// - Parameters:
  ///   - addresses: what it claims.
  ///   - owner: the attachment.
  ///   - holders: who holds them now; a holder without a claim here does not count.
  mutating func claim(
    _ addresses: [HiddenAddress], for owner: OwnerTag, heldBy holders: [Holder]
  ) {
    remove(owner)
    for case .attachment(let other) in holders {
      guard let theirs = exclusive.removeValue(forKey: other) else { continue }
      if other.network != owner.network {
        shared[other] = theirs
      }
    }
    let hosts = Set(addresses.map(\.address))
    func meet(_ theirs: [HiddenAddress]) -> Bool {
      theirs.contains { hosts.contains($0.address) }
    }
    shared = shared.filter { $0.key.network != owner.network || !meet($0.value) }
    if shared.values.contains(where: meet) {
      shared[owner] = addresses
    } else {
      exclusive[owner] = addresses
    }
  }

  /// What is to stand beside an address.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - owned: what stands beside addresses that an attachment has alone.
  /// - Returns: nil if the address is not to be masqueraded.
  func comment(of address: IPAddress, owned: String) -> String? {
    if shared.values.joined().contains(where: { $0.address == address }) {
      return Holder.severalComment
    }
    return exclusive.values.joined().contains { $0.address == address } ? owned : nil
  }
}
