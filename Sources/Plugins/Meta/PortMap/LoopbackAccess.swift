import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// Lets the host reach mappings at its own loopback address.
///
/// The kernel sends nothing from 127.0.0.0/8 over a link, and takes no answer for it, unless the link
/// is told to. That alone would open the host's loopback services to whoever is behind the link
/// (CVE-2020-8558), so the link is guarded first: ``PortMapLayout`` drops what comes by it and names
/// a loopback address. IPv6 has no such setting.
struct LoopbackAccess: Sendable {
  /// The link that leads to the pod.
  let link: InterfaceName
  /// Whether the link is the pod's alone, as one end of a pair is that is no port of a bridge.
  let isExclusive: Bool

  /// Finds the link; nil if no mapping is for a loopback address, or no link leads to the pod.
  init?(_ forwards: [PortForward]) throws(ProtocolError) {
    guard let pod = forwards.first(where: { $0.family == .v4 && $0.isOnLoopback })?.pod.address
    else { return nil }
    do throws(NetlinkError) {
      let socket = try NetlinkSocket<RouteFamily>()
      guard let index = try socket.findRoute(to: pod)?.linkIndex,
        let found = try socket.findLink(.index(index))
      else { return nil }
      link = found.name
      isExclusive = found.kind == "veth"
    } catch {
      throw ProtocolError(error, "failed to find the link that leads to \(pod)")
    }
  }

  /// Switches it on.
  ///
  /// - Throws: `ProtocolError` if it is off and cannot be switched on.
  func enable() throws(ProtocolError) {
    do {
      try Sysctl.writeIfDifferent(Self.setting(link), "1")
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "unable to enable route_localnet: \(error)",
        details: "set \(Self.setting(link).joined(separator: ".")) to 1 on the host, "
          + "or \"snat\" to false if the host need not reach the mapping at 127.0.0.1")
    }
  }

  /// Switches it off for a link that is one pod's alone; the link may be gone.
  ///
  /// - Throws: `ProtocolError` if it may still be on.
  static func disable(_ link: InterfaceName) throws(ProtocolError) {
    do {
      try Sysctl.writeIfDifferent(setting(link), "0")
    } catch  where error.errno == .noEntry {
      return
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Looks whether it is on.
  ///
  /// - Throws: `ProtocolError` if it is off.
  func check() throws(ProtocolError) {
    do throws(SystemError) {
      if try Sysctl.read(Self.setting(link)) == "1" { return }
    } catch {
      throw ProtocolError(error)
    }
    throw ProtocolError(
      .internalFailure, "route_localnet of \(link) is off",
      details: "the host cannot reach the mappings at 127.0.0.1; ADD switches it on")
  }

  private static func setting(_ link: InterfaceName) -> [String] {
    ["net", "ipv4", "conf", link.text, "route_localnet"]
  }
}
