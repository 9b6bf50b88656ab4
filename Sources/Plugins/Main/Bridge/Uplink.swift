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
/// 4. Only when it has all of them, and answers to them, does the link lose its own, in one send.
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
}
