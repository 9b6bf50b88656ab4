public import Linux

/// An ear on one family's events.
///
/// Open it *before* the change whose event is waited for, then look once, then wait: an event that
/// comes between the look and the wait lies in the socket. It belongs to the network namespace in
/// which it was opened, and closes itself.
public struct NetlinkSubscription<Family: NetlinkFamily>: ~Copyable {
  private let handle: NetlinkHandle

  /// Joins multicast groups in the thread's current network namespace.
  ///
  /// - Parameter groups: group numbers, `RTNLGRP_…` or `NFNLGRP_…`.
  /// - Throws: ``NetlinkError`` if the socket cannot be opened or a group does not exist.
  public init(groups: [UInt32]) throws(NetlinkError) {
    let handle = try NetlinkHandle.opened(Family.protocolNumber, Family.name)
    do {
      handle.expect(.single)
      for group in groups {
        try handle.join(group)
      }
    } catch {
      throw NetlinkError("listen to \(Family.name) events", error)
    }
    self.handle = handle
  }

  /// What came.
  public enum Event: Sendable {
    /// One event.
    case message(Message)
    /// Events were lost; whoever waits has to look again.
    case lost
  }

  /// Waits until an event gives what is wanted.
  ///
  /// - Parameters:
  ///   - operation: what is waited for, for error messages.
  ///   - deadline: when to give up.
  ///   - wanted: looks at each event; nil means "go on waiting".
  /// - Returns: what the closure found.
  /// - Throws: ``NetlinkError`` with cause `timedOut` at the deadline, or if the socket fails.
  public borrowing func wait<Wanted>(
    for operation: String, until deadline: MonotonicTime,
    _ wanted: (Event) throws(NetlinkError) -> Wanted?
  ) throws(NetlinkError) -> Wanted {
    while true {
      for event in try next(operation, deadline) {
        if let found = try wanted(event) { return found }
      }
      // A stream of other events must not carry us past the deadline.
      guard MonotonicTime.now < deadline else {
        throw NetlinkError(operation: operation, errno: .timedOut, cause: .timedOut)
      }
    }
  }

  /// The next datagram's events.
  private borrowing func next(_ operation: String, _ deadline: MonotonicTime)
    throws(NetlinkError) -> [Event]
  {
    do throws(SystemError) {
      while true {
        switch try handle.receive() {
        case .datagram(let datagram):
          return Message.parse(datagram).messages.map(Event.message)
        case .overrun, .tooLong:
          return [.lost]
        case .nothing:
          let left = deadline - MonotonicTime.now
          guard left > .zero else {
            throw SystemError(operation: "wait", subject: "", errno: .timedOut)
          }
          _ = try handle.waitUntilReadable(milliseconds: Int32(clamping: left.milliseconds))
        }
      }
    } catch {
      guard error.errno == .timedOut else { throw NetlinkError(operation, error) }
      throw NetlinkError(operation: operation, errno: .timedOut, cause: .timedOut)
    }
  }
}
