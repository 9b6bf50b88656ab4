public import Addressing
public import CNI
internal import Linux
internal import RouteNetlink

/// Whether the host passes on packets that are not for itself.
public enum Forwarding {
  /// Switches forwarding on for these families, in the thread's namespace.
  ///
  /// Writes only where it is off, so that a read-only `/proc/sys` does no harm once it is on. It
  /// stays on afterwards, since others come to depend on it. Kernel names: `net.ipv4.ip_forward`,
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
      do {
        try Sysctl.writeIfDifferent(family.forwardingSetting, "1")
      } catch {
        throw ProtocolError(
          ProtocolError(error).code, "failed to enable forwarding: \(error)",
          details: "set \(family.forwardingSetting.joined(separator: ".")) to 1 on the host")
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
