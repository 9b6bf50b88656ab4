internal import Addressing
public import CNI
internal import Linux
internal import Netlink
public import RouteNetlink

extension ContainerInterface {
  /// Writes the settings that must be right before an address is given.
  static func prepare(
    _ name: InterfaceName, for addresses: [ResultAddress], _ manner: Manner,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let hasIPv6 = addresses.contains { $0.address.family == .v6 }
    worlds.containerIPv6.prefer(name, "accept_dad", manner.detectsDuplicates ? "1" : "0")
    if manner.detectsDuplicates { worlds.containerIPv6.prefer(name, "enhanced_dad", "1") }
    // Its addresses are given, not learned: no neighbour may add others or another router. One
    // without IPv6 addresses would believe a neighbour all the sooner (CVE-2020-10749).
    if hasIPv6 || manner.ignoresRouters { worlds.containerIPv6.prefer(name, "accept_ra", "0") }
    guard hasIPv6 else { return }
    // The kernel then announces the interface's addresses when AddressAnnouncement asks for it.
    worlds.containerIPv6.prefer(name, "ndisc_notify", "1")
    try switchOnIPv6(name, worlds.containerIPv6)
  }

  private static func switchOnIPv6(
    _ name: InterfaceName, _ settings: borrowing IPv6Settings
  ) throws(ProtocolError) {
    for interface in ["lo", name.text] {
      do throws(SystemError) {
        try settings.writeIfDifferent(interface, "disable_ipv6", "0")
      } catch  where error.errno == .noEntry {
        throw ProtocolError(
          .internalFailure, "failed to enable IPv6 for interface \"\(interface)\": \(error)",
          details: "the kernel runs without IPv6; take the IPv6 ranges out of the configuration")
      } catch {
        throw ProtocolError(
          ProtocolError(error).code,
          "failed to enable IPv6 for interface \"\(interface)\" "
            + "(net/ipv6/conf/\(interface)/disable_ipv6=0): \(error)")
      }
    }
    do {
      try settings.write(name.text, "keep_addr_on_down", "1")
    } catch {
      throw ProtocolError(
        ProtocolError(error).code,
        "failed to enable keep_addr_on_down for interface \"\(name)\": \(error)")
    }
  }

  /// Waits until nobody on the link has objected to its IPv6 addresses.
  ///
  /// For addresses that were given so that duplicates are looked for; the link must carry frames.
  ///
  /// - Parameters:
  ///   - addresses: the container's; without any of IPv6 there is nothing to wait for.
  ///   - link: their link, in the container.
  ///   - worlds: where it is.
  /// - Throws: ``ProtocolError``, code 11 if it takes too long, 999 if another host has one of them.
  public static func waitUntilUnique(
    _ addresses: [ResultAddress], of link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard addresses.contains(where: { $0.address.family == .v6 }) else { return }
    // Two probes a second apart are the most that hosts are configured to send.
    let deadline = MonotonicTime.now + .seconds(5)
    let entries: [AddressEntry]
    do {
      entries = try worlds.namespace.run { () throws(NetlinkError) in
        let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
        return try worlds.container.settledAddresses(
          ofLink: link.index, heardBy: ear, until: deadline)
      }
    } catch .work(let error) where error.cause == .timedOut {
      guard try carries(link, in: worlds) else { return }
      throw ProtocolError(
        .tryAgainLater, "link \(link.name) still has tentative addresses after 5 seconds",
        details: "another host on the link keeps asking for them")
    } catch {
      throw ProtocolError(error, "failed to settle addresses for \"\(link.name)\"")
    }
    if let taken = entries.first(where: { $0.flags.contains(.duplicate) }) {
      throw ProtocolError(
        .internalFailure,
        "failed to settle addresses for \"\(link.name)\": link \(link.name) has address "
          + "\(taken.address.address) in DADFAILED state",
        details: "another host on the link has this address")
    }
  }

  /// Waits until the container answers to its IPv6 addresses.
  ///
  /// An address that waits for nobody counts as usable at once, but the kernel listens for questions
  /// about it, and takes packets to it for its own, only when deferred work has run. On a busy host
  /// that takes up to seconds, in which neighbours ask in vain. It nearly always has run by the time
  /// everything else of an ADD is done; where it has not, the kernel's own event ends the wait. A host
  /// that takes longer than seconds is not helped by an ADD that fails and comes again.
  ///
  /// - Parameters:
  ///   - addresses: the container's; those of IPv4 are ready from the start.
  ///   - link: the link they are on if it may be without a carrier, and they never ready therefore.
  ///   - worlds: where they are.
  /// - Throws: ``ProtocolError``, code 11, if an address is not ready within half a minute.
  public static func waitUntilAnswering(
    _ addresses: [ResultAddress], of link: Link? = nil, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let deadline = MonotonicTime.now + .seconds(30)
    for address in addresses.map(\.address.address) where address.family == .v6 {
      do throws(NetlinkError) {
        if try isLocal(address, in: worlds) { continue }
      } catch {
        throw ProtocolError(error)
      }
      do {
        try worlds.namespace.run { () throws(NetlinkError) in
          let ear = try NetlinkSubscription<RouteFamily>.ofIPv6Addresses()
          while try !isLocal(address, in: worlds) {
            do throws(NetlinkError) {
              try ear.wait(
                for: "wait for address \(address)", until: min(deadline, .now + .milliseconds(20))
              ) { event in
                switch event {
                case .lost: ()
                case .message(let message):
                  AddressEntry(message)?.address.address == address ? () : nil
                }
              }
            } catch  where error.cause == .timedOut && MonotonicTime.now < deadline {
              // The kernel tells of an address before it takes packets to it (`__ipv6_ifa_notify`), so
              // the look after the last event may have come too early.
            }
          }
        }
      } catch {
        if let link, try !carries(link, in: worlds) { return }
        throw ProtocolError(error, "address \(address) is not ready")
      }
    }
  }

  /// Whether a link carries frames; what it stands on may be without a cable for now.
  private static func carries(
    _ link: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Bool {
    do {
      let state = try worlds.container.link(index: link.index).operationalState
      return state == .up || state == .unknown
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Whether the kernel takes packets to an address for the container's own.
  private static func isLocal(
    _ address: IPAddress, in worlds: borrowing HostAndContainer
  ) throws(NetlinkError) -> Bool {
    try worlds.container.findRoute(to: address)?.type == .local
  }
}
