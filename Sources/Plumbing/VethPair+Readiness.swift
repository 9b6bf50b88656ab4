internal import Addressing
public import CNI
internal import Linux
internal import Netlink
internal import RouteNetlink

extension VethPair {
  /// How long a link may take to come up, which the kernel does when it has time for it: a host that takes
  /// longer than seconds is not helped by an ADD that fails and comes again.
  public static var patience: Duration { .seconds(30) }

  /// Waits until the pair carries frames.
  ///
  /// Each end notices for itself, and one later than the other: before the host's end has, its
  /// bridge forwards nothing from it, and before the container's end has, IPv6 does not start there.
  /// The kernel is done within microseconds, so a look is nearly always enough; where it is not, the
  /// kernel's own event ends the wait. IPv4 needs the host's end alone, and each look waits for all
  /// who make or delete links at that moment.
  ///
  /// - Parameters:
  ///   - addresses: those of the container; without any, frames of all kinds are expected.
  ///   - worlds: where the ends are.
  /// - Throws: ``ProtocolError``, code 11, if it does not within half a minute.
  public func waitUntilUp(
    for addresses: [ResultAddress], in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let deadline = MonotonicTime.now + Self.patience
    if try Self.state(of: host, worlds.host) != .up {
      let ear = try Self.listenHere()
      try Self.wait(for: host, worlds.host, ear, until: deadline)
    }
    if !addresses.isEmpty && addresses.allSatisfy({ $0.address.family == .v4 }) { return }
    if try Self.state(of: container, worlds.container) != .up {
      // A subscription hears the namespace it was opened in.
      let ear = try Self.listen(in: worlds)
      try Self.wait(for: container, worlds.container, ear, until: deadline)
    }
  }

  private static func listen(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> NetlinkSubscription<RouteFamily> {
    do {
      return try worlds.namespace.run { () throws(NetlinkError) in try .ofLinks() }
    } catch {
      throw ProtocolError(error)
    }
  }

  private static func listenHere() throws(ProtocolError) -> NetlinkSubscription<RouteFamily> {
    do {
      return try .ofLinks()
    } catch {
      throw ProtocolError(error)
    }
  }

  private static func wait(
    for link: Link, _ socket: borrowing RouteSocket,
    _ ear: borrowing NetlinkSubscription<RouteFamily>, until deadline: MonotonicTime
  ) throws(ProtocolError) {
    do {
      try ear.waitUntilUp(link, askedBy: socket, until: deadline)
    } catch {
      guard error.cause == .timedOut else { throw ProtocolError(error) }
      throw ProtocolError(
        .tryAgainLater, "bridge port in error state: \(try state(of: link, socket))",
        details: "\(link.name) did not come up within half a minute")
    }
  }

  private static func state(
    of link: Link, _ socket: borrowing RouteSocket
  ) throws(ProtocolError) -> OperationalState {
    do {
      return try socket.link(index: link.index).operationalState
    } catch {
      throw ProtocolError(error)
    }
  }
}
