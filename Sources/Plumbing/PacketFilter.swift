public import CNI
internal import Linux
public import Netlink
public import Nftables

/// How changes to the packet filter are made: look, commit, and look again if somebody was faster.
public enum PacketFilter {
  /// How often a change is tried that others come before.
  private static var attempts: Int { 32 }

  /// Commits a plan that was made by looking.
  ///
  /// If the kernel refuses because something came or went since the look, the plan is made anew.
  /// Looking comes first even where adding would do: a refused transaction costs the kernel
  /// milliseconds, a look two microseconds.
  ///
  /// - Parameters:
  ///   - socket: where the packet filter is.
  ///   - plan: looks, and says what must change; nothing to change costs nothing.
  /// - Throws: `NetlinkError` of the last try.
  public static func commit(
    on socket: borrowing NetlinkSocket<NetfilterFamily>,
    _ plan: () throws(NetlinkError) -> Transaction
  ) throws(NetlinkError) {
    var attempt = 1
    while true {
      do {
        try socket.commit(try plan())
        return
      } catch  where error.isRace && attempt < attempts {
        attempt += 1
      }
    }
  }

  /// Adds something.
  ///
  /// - Parameters:
  ///   - step: what it is, for the operator: `failed to masquerade 10.1.2.3/24`.
  ///   - work: does it on a socket of the thread's network namespace.
  /// - Returns: what the work gives.
  /// - Throws: `ProtocolError`; it names what the kernel lacks, if that is why.
  public static func add<Product>(
    _ step: @autoclosure () -> String,
    _ work: (borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError) -> Product
  ) throws(ProtocolError) -> Product {
    do {
      return try work(try NetlinkSocket<NetfilterFamily>())
    } catch {
      throw ProtocolError(packetFilter: error, step())
    }
  }

  /// Removes something; where there is no packet filter there is nothing to remove.
  ///
  /// - Parameters:
  ///   - step: what it is, for the operator: `failed to stop masquerading`.
  ///   - session: the way to the packet filter.
  ///   - work: does it.
  /// - Throws: `ProtocolError`.
  public static func remove(
    _ step: @autoclosure () -> String, in session: borrowing PacketFilterSession,
    _ work: (borrowing NetlinkSocket<NetfilterFamily>) throws(NetlinkError) -> Void
  ) throws(ProtocolError) {
    do {
      try session.work(work)
    } catch  where error.missingFeature == .nftables {
      return
    } catch {
      throw ProtocolError(packetFilter: error, step())
    }
  }
}

extension NetlinkError {
  /// Whether this can come from somebody who changed things between a look and a commit.
  fileprivate var isRace: Bool {
    guard cause == .refused, missingFeature == nil else { return false }
    return switch errno {
    case .restart, .noEntry, .exists, .busy: true
    default: false
    }
  }
}
