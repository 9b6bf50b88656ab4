internal import Addressing
internal import CNI
internal import Netlink
internal import Nftables

/// What upstream's bridge plugin leaves behind when it has checked a port: found, removed, never
/// written.
enum UpstreamSpoofCheck {
  private static let table = Table(family: .bridge, name: "nat")
  /// Bytes of a chain's name; `NFT_CHAIN_MAXNAMELEN` counts its end as well.
  private static let longestName = 255

  /// Removes the chains of an attachment and the rules that lead there.
  ///
  /// Where upstream has never been this is one question to the kernel. Upstream's names leave the
  /// network out; an attachment of another network with the same container and interface would be
  /// the same to it, but a container has one interface of a name.
  static func remove(
    _ attachment: Attachment, on socket: borrowing NetlinkSocket<NetfilterFamily>
  ) throws(NetlinkError) {
    let identity = "\(attachment.container.text)-\(attachment.interface.text)"
    let own = Chain("cni-br-iface-\(identity)", in: table)
    let addresses = Chain("cni-br-iface-\(identity)-mac", in: table)
    // The kernel refuses even to look for a name that it would not have given.
    guard addresses.name.utf8.count <= longestName, try socket.listedChain(own) != nil else {
      return
    }
    let entry = Chain("PREROUTING", in: table)

    var transaction = Transaction()
    for rule in try socket.listedRules(of: entry) where rule.comment == "macspoofchk-\(identity)" {
      transaction.delete(rule, of: entry)
    }
    transaction.flush(own)
    transaction.delete(own)
    if try socket.listedChain(addresses) != nil {
      transaction.flush(addresses)
      transaction.delete(addresses)
    }
    try socket.commit(transaction)
  }
}
