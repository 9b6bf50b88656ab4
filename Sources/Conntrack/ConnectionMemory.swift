public import Addressing
internal import Linux
internal import Netlink

/// What the kernel remembers of connections in this network namespace.
public enum ConnectionMemory {
  /// Whether it remembers none; `net.netfilter.nf_conntrack_count`.
  public static var isEmpty: Bool {
    do {
      return try Sysctl.read(["net", "netfilter", "nf_conntrack_count"]) == "0"
    } catch {
      // Without the setting it remembers none, or none that could be asked for.
      return true
    }
  }

  /// Lets it forget all that some addresses have begun or answer, and no others.
  ///
  /// For hosts that are gone whatever stands in the way, which is told to the operator. Nothing is
  /// asked where it remembers nothing at all.
  public static func forget(
    allOf addresses: some Collection<IPAddress>, log: (String) -> Void
  ) {
    do throws(NetlinkError) {
      guard !addresses.isEmpty, !isEmpty else { return }
      let socket = try NetlinkSocket<ConntrackFamily>()
      // Closing it would wait for what the packet filter is still freeing.
      socket.closeInBackground()
      for address in addresses { try socket.forget(allOf: address) }
    } catch {
      log("connections of what is gone may be remembered for a while: \(error)")
    }
  }
}
