import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

extension Uplink {
  /// Makes the link a port, and gives the bridge what hangs on it.
  static func join(
    _ link: Link, _ entries: LinkEntries, to bridge: Link
  ) throws(ProtocolError) -> Link {
    let step = "failed to make \"\(link.name)\" a port of \"\(bridge.name)\""
    if !entries.isEmpty { try refuseSilence(of: bridge, step) }
    // Its own, so that what takes things back may use it.
    let host = try HostAndContainer.hostSocket()
    var rollback = Rollback()
    do throws(NetlinkError) {
      if !entries.isEmpty, link.hardwareAddress != bridge.hardwareAddress {
        rollback.undo { try name(bridge, bridge.hardwareAddress, host) }
        try name(bridge, link.hardwareAddress, host)
      }
      if link.masterIndex != bridge.index {
        try setMaster(of: link, bridge.index, host)
        rollback.undo { try setMaster(of: link, 0, host) }
      }
      if !link.isUp {
        try host.setLink(.index(link.index), up: true)
        rollback.undo { try host.setLink(.index(link.index), up: false) }
      }
      if !entries.isEmpty {
        if link.flags.contains(.running) {
          let ear = try NetlinkSubscription<RouteFamily>.ofLinks()
          try ear.waitUntilUp(bridge, askedBy: host, until: .now + VethPair.patience)
        }
        let given = try entries.copies(from: link, for: bridge).add(host)
        rollback.undo { try given.remove(host) }
        try waitUntilAnswering(bridge, host)
        rollback.undo { try entries.restore(on: link, host, .beside) }
        try entries.remove(host)
      }
      let joined = try host.link(index: bridge.index)
      rollback.commit()
      return joined
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "\(step): \(error)", details: remedy(for: error, link))
    }
  }

  /// Refuses a bridge on which nobody would hear the host for a while, or for ever.
  private static func refuseSilence(of bridge: Link, _ step: String) throws(ProtocolError) {
    let settings = bridge.bridge
    if settings?.spansTree == true {
      throw ProtocolError(
        .internalFailure,
        "\(step): its spanning tree protocol would cut the host off for some seconds",
        details:
          "ip link set \(bridge.name) type bridge stp_state 0, or give the bridge the addresses "
          + "by hand")
    }
    if settings?.filtersVLANs == true, settings?.defaultVLAN == 0 {
      throw ProtocolError(
        .internalFailure, "\(step): a new port would be in no VLAN, and the host cut off",
        details: "give the bridge a default VLAN: ip link set \(bridge.name) type bridge "
          + "vlan_default_pvid 1")
    }
  }

  /// Gives the bridge a hardware address, and tells it to those who know its addresses already.
  private static func name(
    _ bridge: Link, _ address: HardwareAddress?, _ host: borrowing RouteSocket
  ) throws(NetlinkError) {
    guard let address else { return }
    var change = LinkChange(.index(bridge.index))
    change.hardwareAddress = address
    try host.changeLink(change)
    let known = try host.addresses(ofLink: bridge.index).map(\.address.address)
    guard !known.isEmpty else { return }
    do throws(SystemError) {
      let sender = try FrameSender()
      for known in known {
        let announcement = NeighbourAnnouncement(of: known, at: address)
        try sender.send(
          announcement.payload, announcement.etherType, to: announcement.destination.bytes,
          byLink: bridge.index)
      }
    } catch {
      // They ask again once nobody answers at the former one.
      StandardStreams.writeDiagnostics("addresses of \(bridge.name) are not announced: \(error)\n")
    }
  }

  private static func setMaster(
    of link: Link, _ master: UInt32, _ host: borrowing RouteSocket
  ) throws(NetlinkError) {
    var change = LinkChange(.index(link.index))
    change.master = master
    try host.changeLink(change)
  }

  /// Waits until the bridge takes packets to its IPv6 addresses, and questions about them, for its own.
  ///
  /// The kernel does so only when deferred work has run. Were the link to lose an address before that,
  /// a neighbour that asks for it would have no answer, and ask again after a second.
  private static func waitUntilAnswering(
    _ bridge: Link, _ host: borrowing RouteSocket
  ) throws(NetlinkError) {
    // Those of the link alone, and others that wait for neighbours' objections, are not of the host's.
    let wanted = try host.addresses(ofLink: bridge.index, family: .v6)
      .filter { !$0.flags.contains(.tentative) }.map(\.address.address)
      .filter { !$0.isLinkLocal }
    guard !wanted.isEmpty else { return }
    let deadline = MonotonicTime.now + .seconds(10)
    let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
    while true {
      let answering = try host.routes(family: .v6, table: .local, linkIndex: bridge.index)
        .filter { $0.type == .local }.map(\.destination.first)
      if wanted.allSatisfy(answering.contains) { return }
      do throws(NetlinkError) {
        // The kernel tells of an address before it takes packets to it, so no event is waited for long.
        try ear.wait(
          for: "wait for addresses of \(bridge.name)",
          until: min(deadline, .now + .milliseconds(20))
        ) { event in
          switch event {
          case .lost: ()
          case .message(let message): AddressEntry(message)?.linkIndex == bridge.index ? () : nil
          }
        }
      } catch  where error.cause == .timedOut && MonotonicTime.now < deadline {
        // Another look.
      }
    }
  }

  private static func remedy(for error: NetlinkError, _ link: Link) -> String {
    switch error.errno {
    case .busy: "another link stands on \"\(link.name)\" (macvlan, ipvlan): remove that first"
    case .notSupported, .invalid:
      "a wireless link, or one that shares its hardware address, cannot be a port"
    default: ProtocolError(error).details
    }
  }
}
