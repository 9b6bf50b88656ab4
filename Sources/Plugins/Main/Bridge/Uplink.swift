import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// The link of the host that joins a bridge to the network outside.
///
/// A port takes nothing in itself: what comes by it for the host, the bridge hands up. So the host's
/// addresses and routes have to be the bridge's from the moment on that the link is a port. There is
/// no way to do both at once; this is the order in which each packet finds a way:
///
/// 1. The bridge has the link's hardware address, so that neighbours, switches and DHCP servers see no
///    other host than before.
/// 2. The link becomes a port. What comes in is for the host still, since the host has an address
///    whichever link it comes by; what goes out leaves by the link, to neighbours who are known.
/// 3. Once the bridge carries frames it gets addresses and routes beside those of the link, in one
///    send.
/// 4. Only when it has all of them does the link lose its own, in one send.
///
/// Connections of the host go on. If a step fails, those before it are taken back; if the process is
/// killed, the next ADD comes to the end of it.
enum Uplink {
  /// Finds the bridge, or makes it, with the link as a port.
  ///
  /// - Throws: `ProtocolError` when the link cannot be a port of it, or the kernel refuses; then
  ///   nothing has changed but that there may be a bridge.
  static func ensure(
    _ wish: UplinkWish, _ settings: BridgeConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    var link = try wish.find(for: settings.bridge, worlds.host)
    try refuseTooLarge(settings.mtu, for: link)
    // In this order: once the link is settled nobody changes the bridge any more.
    if try wish.isSettled(link, for: settings.bridge, worlds.host) {
      let bridge = try BridgeDevice.ensure(settings, like: link, in: worlds)
      try carry(settings.vlans, by: link, worlds.host)
      return bridge
    }
    let lock = try lockHost()
    defer { extendLifetime(lock) }
    // The other first pod may have been faster.
    link = try wish.find(for: settings.bridge, worlds.host)
    let isPort = try wish.isSettled(link, for: settings.bridge, worlds.host)
    let entries = isPort ? nil : try wish.entries(of: link, worlds.host)
    var bridge = try BridgeDevice.ensure(settings, like: link, in: worlds)
    if let entries { bridge = try join(link, entries, to: bridge) }
    try carry(settings.vlans, by: link, worlds.host)
    return bridge
  }

  /// Looks whether the link is a port of the bridge, and fit to be one.
  ///
  /// - Throws: `ProtocolError` that names what is missing.
  static func check(
    _ wish: UplinkWish, _ bridge: Link, _ host: borrowing RouteSocket
  ) throws(ProtocolError) {
    let link = try wish.find(for: bridge.name, host)
    guard link.masterIndex == bridge.index else {
      throw ProtocolError(
        .internalFailure, "uplink \"\(link.name)\" is no port of \"\(bridge.name)\"",
        details: "the next ADD makes it one")
    }
    guard link.isUp else {
      throw ProtocolError(.internalFailure, "Interface \(link.name) is down")
    }
    guard wish.movesAddresses else { return }
    let stray: [InterfaceAddress]
    do {
      stray = try wish.strayAddresses(on: link, host)
    } catch {
      throw ProtocolError(error)
    }
    guard stray.isEmpty else {
      throw ProtocolError(
        .internalFailure,
        "uplink \"\(link.name)\" has \(stray.map(\.description).joined(separator: ", ")) again",
        details: "the next ADD gives it to \"\(bridge.name)\"; whoever put it there must not")
    }
  }

  /// Asks whether ``ensure(_:_:in:)`` would succeed, and changes nothing.
  ///
  /// - Throws: `ProtocolError`, code 50.
  static func checkPossible(
    _ wish: UplinkWish, _ settings: BridgeConfiguration, _ host: borrowing RouteSocket
  ) throws(ProtocolError) {
    do throws(ProtocolError) {
      let link = try wish.find(for: settings.bridge, host)
      try refuseTooLarge(settings.mtu, for: link)
      if try !wish.isSettled(link, for: settings.bridge, host) {
        _ = try wish.entries(of: link, host)
      }
    } catch {
      throw ProtocolError(
        .notReady, "cannot make attachments: \(error.message)", details: error.details)
    }
  }

  /// Makes the link a port, and gives the bridge what hangs on it.
  private static func join(
    _ link: Link, _ entries: LinkEntries, to bridge: Link
  ) throws(ProtocolError) -> Link {
    let step = "failed to make \"\(link.name)\" a port of \"\(bridge.name)\""
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

  /// Lets the pod's VLANs pass to the outside, tagged; those that the link has stay as they are.
  private static func carry(
    _ vlans: VLANSettings, by link: Link, _ host: borrowing RouteSocket
  ) throws(ProtocolError) {
    guard vlans.needsFiltering else { return }
    do throws(NetlinkError) {
      let missing = BridgePort.missing(vlans, among: try host.vlans(of: link.index))
      if !missing.isEmpty { try host.addVLANs(missing, to: link.index) }
    } catch {
      throw ProtocolError(error, "failed to set VLANs of \"\(link.name)\"")
    }
  }

  /// Refuses frames that the link would not carry.
  private static func refuseTooLarge(_ mtu: MTU?, for link: Link) throws(ProtocolError) {
    guard let mtu, mtu.bytes > link.mtu else { return }
    throw ProtocolError(
      .invalidConfiguration,
      "mtu: \(mtu.bytes) bytes do not pass by uplink \"\(link.name)\", which carries \(link.mtu)",
      details: "leave \"mtu\" out for that of the uplink")
  }

  /// Keeps others out who give the bridge its uplink.
  private static func lockHost() throws(ProtocolError) -> FileLock {
    do throws(SystemError) {
      let namespace = try NetworkNamespace.current()
      do throws(FileLockError) {
        return try FileLock(on: namespace, timeout: .seconds(60))
      } catch {
        switch error {
        case .system(let error): throw error
        case .timedOut: throw SystemError(operation: "flock", subject: "\(error)", errno: .tryAgain)
        }
      }
    } catch {
      throw ProtocolError(error)
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
