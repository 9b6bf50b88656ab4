internal import Addressing
internal import Linux

/// What becomes of leases.
extension DHCPv6Conversation {
  /// Does what a reply says; nil for one that is of no use.
  mutating func settle(_ message: DHCPv6Message, at now: BootTime) -> [Step]? {
    if let granted = DHCPv6Lease(message, askedAt: asked) {
      lease = granted
      (refusal, refusals, avoided) = (nil, 0, nil)
      phase = .bound
      due = granted.renewal
      return [.granted(granted)]
    }
    note(message.status)
    guard let lease else { return nil }
    switch (message.status, phase) {
    case (.noBinding, .renewing), (.noBinding, .rebinding):
      // RFC 8415, section 18.2.10.1: a server that has forgotten may give it again.
      return message.server.map { ask(.requesting(lease.address, of: $0), at: now) }
    case (.notOnLink, _):
      return lose(.refused, at: now)
    case (.success, _) where message.association?.withdraws(lease.address) == true:
      return lose(.refused, at: now)
    default:
      return nil
    }
  }

  /// Remembers why a server has given nothing.
  mutating func note(_ status: DHCPv6Status) {
    if status != .success { refusal = status }
  }

  /// Begins anew after a while: who offers and then refuses would keep us busy without end.
  mutating func refuse(_ server: [UInt8], at now: BootTime) -> [Step] {
    phase = .pausing
    due = [now + timing.pause(after: refusals), lease?.end].compactMap { $0 }.min()
    refusals += 1
    avoided = server
    return []
  }

  /// What follows from the lease's end, if that has come.
  mutating func expire(at now: BootTime) -> [Step]? {
    guard let end = lease?.end, now >= end else { return nil }
    return lose(.expired, at: now)
  }

  /// Gives the lease up, and looks for another.
  private mutating func lose(_ loss: DHCPConversation.Loss, at now: BootTime) -> [Step] {
    guard let lost = lease else { return [] }
    lease = nil
    return [.lost(lost, loss)] + ask(.soliciting, at: now)
  }
}
