internal import Addressing
internal import Linux

/// What becomes of leases.
extension DHCPConversation {
  /// What a server has offered and was asked for.
  var requested: DHCPLease? {
    if case .requesting(let offer) = phase { offer } else { nil }
  }

  /// The lease that a message offers or grants; nil for one that is of no use.
  func readLease(_ message: DHCPMessage) -> DHCPLease? {
    do throws(DHCPMessageError) {
      return try DHCPLease(message, askedAt: asked)
    } catch {
      // As if nothing had come: another server may do better.
      return nil
    }
  }

  /// Takes what has been granted.
  mutating func grant(_ message: DHCPMessage) -> [Step] {
    var message = message
    // A renewal need not repeat what has not changed.
    if message.options[.subnetMask] == nil, message.yourAddress == lease?.address {
      message.options[.subnetMask] = lease?.message.options[.subnetMask]
    }
    guard let granted = readLease(message) else { return [] }
    lease = granted
    limit = nil
    refusals = 0
    rest()
    return [.granted(granted)]
  }

  /// Waits for the lease's first time to come.
  mutating func rest() {
    phase = .bound
    guard let lease, let renewal = lease.renewal else {
      due = nil
      return
    }
    // A little early, so that clients that started together do not stay together; RFC 2131, 4.4.5.
    plan(renewal + (lease.start - renewal) * Double.random(in: 0...0.05))
  }

  /// What follows from the lease's end, if that has come.
  mutating func expire(at now: BootTime) -> [Step]? {
    isPast(lease?.end, now) ? lose(.expired, at: now) : nil
  }

  /// Gives the lease up, and looks for another.
  mutating func lose(_ loss: Loss, at now: BootTime) -> [Step] {
    guard let lost = lease else { return [] }
    lease = nil
    began = now
    return [.lost(lost, loss)] + discover(at: now)
  }

  /// Whether a moment has come; nil never comes.
  func isPast(_ moment: BootTime?, _ now: BootTime) -> Bool {
    moment.map { now >= $0 } ?? false
  }

  /// Sets the next time to act; the limit of the first lease and the lease's end come before it.
  mutating func plan(_ moment: BootTime) {
    due = [moment, limit, lease?.end].compactMap { $0 }.min()
  }
}
