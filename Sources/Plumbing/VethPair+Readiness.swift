public import CNI
internal import Linux
internal import Netlink
internal import RouteNetlink

extension VethPair {
  /// Waits until the host's end carries frames.
  ///
  /// The kernel tells it of the other end within microseconds, so a look is nearly always enough;
  /// where it is not, the kernel's own event ends the wait.
  ///
  /// - Throws: ``ProtocolError``, code 11, if it does not within a few seconds.
  public func waitUntilUp(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    if try state(in: worlds) == .up { return }
    let deadline = MonotonicTime.now + .seconds(3)
    do throws(NetlinkError) {
      let ear = try NetlinkSubscription<RouteFamily>.ofLinks()
      while try worlds.host.link(index: host.index).operationalState != .up {
        try ear.wait(for: "wait for link \(host.name)", until: deadline) { event in
          switch event {
          case .lost: ()
          case .message(let message): Link(message)?.index == host.index ? () : nil
          }
        }
      }
    } catch  where error.cause == .timedOut {
      throw ProtocolError(
        .tryAgainLater, "bridge port in error state: \(try state(in: worlds))",
        details: "\(host.name) did not come up within 3 seconds")
    } catch {
      throw ProtocolError(error)
    }
  }

  private func state(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> OperationalState {
    do {
      return try worlds.host.link(index: host.index).operationalState
    } catch {
      throw ProtocolError(error)
    }
  }
}
