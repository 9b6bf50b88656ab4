import Addressing
import CNI
import Netlink
import Plumbing
import RouteNetlink

/// The MTU of the other end of the container's pair, which is on the host: key `mtuPeer`.
///
/// With both ends alike, the host tells whoever sends too much through it, instead of losing it.
enum PeerSize {
  /// The other end, to be changed.
  ///
  /// - Throws: `ProtocolError`, code 7, where there is none on the host, or where the MTU would take
  ///   IPv6 away from a bridge and with it from other containers.
  static func end(
    of interface: InterfaceName, for mtu: MTU, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    guard let end = try find(interface, in: worlds) else {
      throw ProtocolError(
        .invalidConfiguration,
        "mtuPeer: \"\(interface)\" is no end of a pair whose other end is on the host",
        details: "\"mtuPeer\" is for bridge and ptp: leave it out")
    }
    // A bridge takes the smallest MTU of its ports.
    let least = MTU.leastForIPv6
    guard mtu >= least || end.masterIndex == nil else {
      throw ProtocolError(
        .invalidConfiguration,
        "mtuPeer: \(mtu) bytes would take IPv6 away from the bridge of \"\(end.name)\"",
        details: "\"mtu\" must be \(least) at least, or leave \"mtuPeer\" out")
    }
    return end
  }

  /// The other end; nil if it is not on the host, or the interface has gone.
  static func find(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link? {
    do {
      guard let inside = try worlds.container.findLink(named: interface) else { return nil }
      return try worlds.outerEnd(of: inside)
    } catch {
      throw ProtocolError(error, "failed to look for the other end of \"\(interface)\"")
    }
  }

  /// Gives an end this MTU.
  static func give(
    _ mtu: MTU, to end: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    var change = LinkChange(.index(end.index))
    change.mtu = mtu
    do {
      try worlds.host.changeLink(change)
    } catch {
      throw ProtocolError(error, "failed to set mtu of \"\(end.name)\" to \(mtu)")
    }
  }
}

extension TunedState {
  /// Gives the other end of the pair the MTU that it had; an end that has gone is no matter.
  ///
  /// - Returns: what could not be given back, in words.
  /// - Throws: `ProtocolError` when it cannot be told whether it was.
  func restorePeer(
    of interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> [String] {
    guard let peerMTU, let end = try PeerSize.find(interface, in: worlds) else { return [] }
    do throws(ProtocolError) {
      try PeerSize.give(peerMTU, to: end, in: worlds)
      return []
    } catch {
      if error.code == .tryAgainLater { throw error }
      return [error.message]
    }
  }
}
