public import Addressing
public import CNI
internal import Linux
internal import RouteNetlink

/// Whether the host passes on packets that are not for itself.
public enum Forwarding {
  /// Switches forwarding on for these families, in the thread's namespace.
  ///
  /// Writes only where it is off, so that a read-only `/proc/sys` does no harm once it is on. It
  /// stays on afterwards, since others come to depend on it. A host that has its own way out from a
  /// router's advertisements keeps that. Kernel names: `net.ipv4.ip_forward`,
  /// `net.ipv6.conf.all.forwarding`.
  ///
  /// - Parameters:
  ///   - families: of which packets.
  ///   - worlds: the host is asked through its socket.
  /// - Throws: ``ProtocolError``, code 5 or 11, if it is off and cannot be switched on.
  public static func enable(
    for families: Set<IPFamily>, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    for family in IPFamily.allCases where families.contains(family) {
      do {
        if try worlds.host.isForwarding(family) { continue }
      } catch {
        // Too old a kernel, or one without the family; what to say is known below.
      }
      if family == .v6 { try keepHearingRouters(in: worlds) }
      do {
        try Sysctl.writeIfDifferent(family.forwardingSetting, "1")
      } catch {
        throw ProtocolError(
          ProtocolError(error).code, "failed to enable forwarding: \(error)",
          details: "set \(family.forwardingSetting.joined(separator: ".")) to 1 on the host")
      }
    }
  }

  /// Lets the links of routers go on hearing them.
  ///
  /// All routes are looked through for it, once in a host's life.
  private static func keepHearingRouters(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let links: Set<InterfaceName>
    do {
      links = try worlds.host.linksOfRouters()
    } catch {
      throw ProtocolError(error, "failed to enable forwarding")
    }
    for link in links {
      do {
        _ = try RouterAdvertisements.keepHearing(by: link)
      } catch {
        throw ProtocolError(
          ProtocolError(error).code, "failed to enable forwarding: \(error)",
          details: "set net.ipv6.conf.\(link).accept_ra to 2 on the host, which else loses the "
            + "default route that it has from a router")
      }
    }
  }

  /// Asks whether ``enable(for:)`` would succeed, and changes nothing.
  ///
  /// - Throws: ``ProtocolError``, code 50, if forwarding is off and cannot be switched on.
  public static func checkPossible(for families: Set<IPFamily>) throws(ProtocolError) {
    for family in IPFamily.allCases where families.contains(family) {
      let name = family.forwardingSetting
      do throws(SystemError) {
        // To write back what is there proves that a write would be taken.
        let value = try Sysctl.read(name)
        if value != "1" { try Sysctl.write(name, value) }
      } catch {
        throw ProtocolError(
          .notReady, "forwarding is off and cannot be switched on: \(error)",
          details: "set \(name.joined(separator: ".")) to 1 on the host")
      }
    }
  }
}
