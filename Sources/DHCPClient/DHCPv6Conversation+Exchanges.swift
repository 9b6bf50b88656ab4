internal import Addressing
internal import Linux

/// What the client says, and when it says it again.
extension DHCPv6Conversation {
  /// Begins an exchange.
  mutating func ask(_ next: Phase, at now: BootTime) -> [Step] {
    phase = next
    transaction = .random(in: 0...0xff_ffff)
    asked = now
    attempt = 0
    // RFC 8415, section 7.6: SOL_TIMEOUT and REQ_TIMEOUT, REN_TIMEOUT and REB_TIMEOUT.
    pause = phase == .renewing || phase == .rebinding ? renewalPause : .seconds(1)
    return utter(at: now)
  }

  /// Ten seconds, or less for a lease that is over by then.
  private var renewalPause: Duration {
    guard let lease, let end = lease.end else { return .seconds(10) }
    return min(.seconds(10), max(.seconds(1), (end - lease.start) / 16))
  }

  /// Asks the same again, after twice the time.
  mutating func again(at now: BootTime) -> [Step] {
    attempt += 1
    pause = min(pause * 2, timing.longestPause)
    return utter(at: now)
  }

  /// Says what the phase calls for, and plans to say it again.
  private mutating func utter(at now: BootTime) -> [Step] {
    // RFC 8415, section 15: a tenth more or less.
    var limits = [now + pause * Double.random(in: 0.9...1.1), lease?.end]
    defer { due = limits.compactMap { $0 }.min() }
    switch phase {
    case .idle, .pausing, .bound: return []
    case .soliciting:
      return [.send(message(.solicit, at: now))]
    case .requesting(let address, let server):
      limits.append(asked + timing.exchange)
      return [.send(message(.request, about: address, to: server, at: now))]
    case .renewing:
      limits.append(lease?.rebinding)
      return [.send(message(.renew, about: lease?.address, to: lease?.server, at: now))]
    case .rebinding:
      return [.send(message(.rebind, about: lease?.address, at: now))]
    }
  }

  /// Makes a message of the exchange that is on; of one of its own when none is.
  mutating func message(
    _ kind: DHCPv6Message.Kind, about address: IPv6Address? = nil, to server: [UInt8]? = nil,
    at now: BootTime
  ) -> DHCPv6Message {
    var options = [DHCPv6Option(DHCPv6Option.clientIdentifier, identifier)]
    if let server { options.append(DHCPv6Option(DHCPv6Option.serverIdentifier, server)) }
    options.append(DHCPv6Association.option(address))
    if kind == .release || kind == .decline {
      transaction = .random(in: 0...0xff_ffff)
      asked = now
    } else {
      let wanted = DHCPv6Option.nameServers.bytes + DHCPv6Option.domains.bytes
      options.append(DHCPv6Option(DHCPv6Option.requestList, wanted))
    }
    let elapsed = UInt16(clamping: (now - asked).hundredths)
    options.append(DHCPv6Option(DHCPv6Option.elapsedTime, elapsed.bytes))
    return DHCPv6Message(kind, transaction: transaction, options: options)
  }
}

extension Duration {
  /// How many hundredths of a second it has.
  fileprivate var hundredths: Int64 {
    components.seconds * 100 + components.attoseconds / 10_000_000_000_000_000
  }
}
