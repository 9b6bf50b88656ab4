internal import Addressing
internal import CNI
internal import Digest
internal import Netlink
internal import Nftables

/// What upstream's plugins have made to masquerade: found, removed, never written.
enum UpstreamMasquerade {
  /// Where upstream's nftables backend puts a rule for each address.
  private static let chain = Chain(
    "masq_checks", in: Table(family: .inet, name: "cni_plugins_masquerade"))

  /// Whether there are rules of an attachment for all of these addresses.
  static func hasRules(
    of attachment: Attachment, for addresses: [InterfaceAddress],
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) -> Bool {
    guard let found = try socket.listedChain(chain) else { return false }
    let rules = try socket.listedRules(of: chain)
    // Its rules use it, and the rule that leads there from the hook.
    guard found.uses > rules.count else { return false }
    let owner = OwnerTag(attachment)
    let own = rules.filter { $0.comment.flatMap { OwnerTag(beginning: $0) } == owner }
    return addresses.allSatisfy { address in
      own.contains { $0.mentions(address.address.bytes) }
    }
  }

  /// Removes the rules of an attachment.
  ///
  /// Where upstream has never been this is one question to the kernel.
  static func remove(
    _ attachment: Attachment, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let owner = OwnerTag(attachment)
    try remove(on: socket) { $0 == owner }
  }

  /// Removes the rules of all attachments of a network but these.
  static func collectGarbage(
    network: UInt64, keeping kept: Set<OwnerTag>,
    on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    try remove(on: socket) { $0.network == network && !kept.contains($0) }
  }

  private static func remove(
    on socket: borrowing NetlinkSocket<NetfilterFamily>, _ isGone: (OwnerTag) -> Bool
  ) throws(NetlinkError) {
    guard try socket.listedChain(chain) != nil else { return }
    var transaction = Transaction()
    for rule in try socket.listedRules(of: chain) {
      guard let comment = rule.comment, let owner = OwnerTag(beginning: comment), isGone(owner)
      else { continue }
      transaction.delete(rule, of: chain)
    }
    try socket.commit(transaction)
  }
}
