internal import Addressing
internal import CNI
internal import Netlink
internal import Nftables
internal import Plumbing

/// What our table for bridges holds for spoof checks.
enum SpoofCheckLayout {
  /// Which port and address an attachment has.
  static let register = OwnerRegister("spoof_owners", in: .oursOnBridges)
  /// The ports that are checked.
  static let checked = NamedSet("spoof_checked", in: .oursOnBridges, key: [.interfaceName])
  /// Each port with the address that may send from it.
  static let allowed = NamedSet(
    "spoof_allowed", in: .oursOnBridges, key: [.interfaceName, .hardwareAddress])

  /// The chain that frames enter.
  private static let entry = Chain(
    "spoof_check", in: .oursOnBridges,
    hook: Hook(.filter, at: .prerouting, priority: .bridgeDestinationNAT))

  /// Whether all is there that stays there.
  static func isLaid(on socket: borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError)
    -> Bool
  {
    try socket.listedChain(entry).map { $0.uses >= 1 } ?? false
  }

  /// Makes all that stays, afresh; elements are left alone.
  static func lay(in transaction: inout Transaction) {
    transaction.add(.oursOnBridges)
    for set in [register.set, checked, allowed] {
      transaction.add(set)
    }
    transaction.add(entry)
    transaction.flush(entry)
    transaction.append(
      Rule(
        [
          .fields(.inputName, areIn: checked),
          .fields(.inputName, .hardwareSource, areNotIn: allowed),
        ], .verdict(.drop)),
      to: entry)
  }
}

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
