internal import Linux

extension NetlinkSocket {
  /// Makes a change of which the kernel tells as soon as it is made, but keeps whoever has asked for
  /// it waiting for long after.
  ///
  /// A helper process asks, and waits for the rest alone; it outlives this call, as a rule. Where
  /// there can be no helper, where it is killed, or where its answer is lost, the change is asked for
  /// from here, so that the worst that can happen is to wait.
  ///
  /// - Parameters:
  ///   - request: the change; its answer is to be an acknowledgement.
  ///   - group: the multicast group in which the kernel tells of such changes.
  ///   - isMade: looks whether an event tells that the change is made; where events were lost, looks
  ///     for itself. It may use the socket.
  /// - Throws: ``NetlinkError`` as ``exchange(_:)`` does, and what the look throws.
  public borrowing func exchangeInBackground(
    _ request: Message, hearing group: UInt32,
    until isMade: (NetlinkSubscription<Family>.Event) throws(NetlinkError) -> Bool
  ) throws(NetlinkError) {
    switch wire {
    case .kernel(let handle) where recorder == nil:
      if try handle.carry(request, hearing: group, until: isMade) { return }
    default: ()
    }
    try exchange(request)
  }
}

extension NetlinkHandle {
  /// Lets a helper send a request, and waits until it is answered or an event tells that it is done.
  ///
  /// - Returns: false when there was no helper, or when it is gone and nothing is known.
  /// - Throws: ``NetlinkError`` for a refusal, for a socket that fails, and what the look throws.
  fileprivate func carry<Family>(
    _ request: Message, hearing group: UInt32,
    until isMade: (NetlinkSubscription<Family>.Event) throws(NetlinkError) -> Bool
  ) throws(NetlinkError) -> Bool {
    let first = sequences(1)
    let helper: BackgroundSend
    defer { leave(group) }
    do throws(SystemError) {
      try listen(to: group)
      helper = try BackgroundSend(
        [request].encoded(firstSequence: first, port: port), through: descriptorNumber)
    } catch {
      return false
    }
    var collector = AnswerCollector(to: [request], firstSequence: first, port: port)
    var overruns = 0
    while !collector.isComplete {
      switch try receive(during: helper, request.operation) {
      case .datagram(let datagram):
        for message in Message.parse(datagram).messages {
          if try isMade(.message(message)) { return true }
        }
        collector.receive(datagram)
      case .overrun, .tooLong:
        if try isMade(.lost) { return true }
        overruns += 1
        guard overruns < Self.overrunLimit else {
          throw NetlinkError(operation: request.operation, errno: .noBuffers, cause: .overrun)
        }
      case .nothing:
        return try isMade(.lost)
      }
    }
    for answer in collector.answers() { _ = try answer.get() }
    return true
  }

  /// Joins a group whose events may come in crowds.
  private func listen(to group: UInt32) throws(SystemError) {
    expect(.single)
    try makeRoom(forReceiving: 1 << 20)
    try join(group)
  }

  /// Takes the next datagram, and waits for it; nothing once the helper has ended and left no more.
  private func receive(
    during helper: borrowing BackgroundSend, _ operation: String
  ) throws(NetlinkError) -> Received {
    var hasEnded = false
    do throws(SystemError) {
      while true {
        let received = try receive()
        guard case .nothing = received, !hasEnded else { return received }
        let ready = try Readiness.wait(
          for: [helper.end, Readiness.Wish(descriptorNumber)], timeout: nil)
        hasEnded = ready.contains(0)
      }
    } catch {
      throw NetlinkError(operation, error)
    }
  }
}
