internal import Addressing
internal import Linux

/// What the client says, and when it says it again.
extension DHCPConversation {
  /// Looks for servers.
  mutating func discover(at now: BootTime) -> [Step] {
    if case .idle = phase { began = now }
    return ask(.selecting, at: now)
  }

  /// Begins an exchange.
  mutating func ask(_ next: Phase, at now: BootTime) -> [Step] {
    // An offer and the request for it share their number; everything else is new.
    if case .requesting = next {} else { transaction = .random(in: .min ... .max) }
    phase = next
    asked = now
    attempt = 0
    return utter(at: now)
  }

  /// Asks the same again.
  mutating func again(at now: BootTime) -> [Step] {
    attempt += 1
    return utter(at: now)
  }

  /// Says what the phase calls for, and plans to say it again.
  private mutating func utter(at now: BootTime) -> [Step] {
    switch phase {
    case .idle, .pausing, .bound: return []
    case .selecting:
      let isFirst = attempt == 0 && now == began
      plan(now + (isFirst ? DHCPTiming.firstPause : timing.pause(after: max(0, attempt - 1))))
      return [.broadcast(message(.discover, at: now))]
    case .requesting(let offer):
      plan(min(now + timing.pause(after: attempt), asked + timing.exchange))
      var request = message(.request, at: now)
      request.options[.requestedAddress] = offer.address.bytes
      request.options[.serverIdentifier] = offer.server.bytes
      return [.broadcast(request)]
    case .rebooting:
      plan(min(now + timing.pause(after: attempt), asked + timing.exchange))
      var request = message(.request, at: now)
      request.options[.requestedAddress] = lease?.address.bytes
      return [.broadcast(request)]
    case .renewing: return extend(before: lease?.rebinding, to: lease?.server, at: now)
    case .rebinding: return extend(before: lease?.end, to: nil, at: now)
    }
  }

  /// Asks for more time; again after half of what is left.
  ///
  /// RFC 2131, section 4.4.5, which wants a minute at least; a lease of seconds has no minute.
  private mutating func extend(
    before deadline: BootTime?, to server: IPv4Address?, at now: BootTime
  ) -> [Step] {
    guard let lease, let deadline, let duration = lease.duration else { return [] }
    let least = min(.seconds(60), max(.seconds(1), duration / 16))
    plan(min(now + max((deadline - now) / 2, least), deadline))
    var request = message(.request, at: now)
    request.clientAddress = lease.address
    return [.send(request, from: lease.address, to: server)]
  }

  /// A message of the exchange that is on.
  private func message(_ kind: DHCPMessage.Kind, at now: BootTime) -> DHCPMessage {
    var message = identity.message(kind, transaction: transaction, from: hardwareAddress)
    message.seconds = UInt16(clamping: (now - began).components.seconds)
    return message
  }
}
