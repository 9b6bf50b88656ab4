public import Addressing
public import Linux

/// What a client does to get an address, to keep it, and to get another when it is lost.
///
/// The state machine of RFC 2131, section 4.4. It holds no socket and reads no clock: whoever owns it
/// tells it the time and what has come in, and does the steps that it answers with.
///
///     var conversation = DHCPConversation(identity, from: link.hardwareAddress, timing: timing)
///     perform(conversation.begin(at: .now))
///     // … at `conversation.due`:
///     perform(conversation.pass(at: .now))
///     // … when a message has come:
///     perform(conversation.receive(message, at: .now))
public struct DHCPConversation: Sendable {
  /// Where the client stands.
  public enum Phase: Hashable, Sendable {
    /// Nothing goes on. `INIT`
    case idle
    /// It has been refused, and waits a little before it begins anew.
    case pausing
    /// It looks for servers. `SELECTING`
    case selecting
    /// It has chosen an offer. `REQUESTING`
    case requesting(DHCPLease)
    /// It asks whether a lease from before a restart still holds. `REBOOTING`
    case rebooting
    /// It has its lease. `BOUND`
    case bound
    /// It asks its server for more time. `RENEWING`
    case renewing
    /// It asks any server for more time. `REBINDING`
    case rebinding
  }

  /// What is to be done.
  public enum Step: Hashable, Sendable {
    /// Send to all hosts of the link, from no address.
    case broadcast(DHCPMessage)
    /// Send from the leased address: to a server, or to all hosts of the link.
    case send(DHCPMessage, from: IPv4Address, to: IPv4Address?)
    /// The lease is ours, or ours for longer.
    case granted(DHCPLease)
    /// The lease's address must not be used any more; the client goes on looking for another.
    case lost(DHCPLease, Loss)
    /// The time for the first lease is over, and the client has stopped.
    case gaveUp
  }

  /// Why a lease is over.
  public enum Loss: Hashable, Sendable {
    /// A server has said so.
    case refused
    /// Nobody has given it more time.
    case expired
  }

  /// Who the client is.
  public let identity: DHCPIdentity
  /// How patient it is.
  public let timing: DHCPTiming
  /// The link's address, which may change between exchanges.
  public var hardwareAddress: HardwareAddress
  /// Where it stands.
  public internal(set) var phase = Phase.idle
  /// The lease in force.
  public internal(set) var lease: DHCPLease?
  /// When ``pass(at:)`` is to be called next; nil for never.
  public internal(set) var due: BootTime?

  /// Ties answers to what was asked last.
  var transaction: UInt32 = 0
  /// When the client began to look for an address.
  var began: BootTime
  /// When the first message of this exchange was sent.
  var asked: BootTime
  /// How often it was sent again.
  var attempt = 0
  /// How often offers were withdrawn since the last lease.
  var refusals = 0
  /// When the first lease must be there; nil once there was one.
  var limit: BootTime?

  /// A client at rest.
  public init(
    _ identity: DHCPIdentity, from hardwareAddress: HardwareAddress,
    timing: DHCPTiming = DHCPTiming()
  ) {
    self.identity = identity
    self.timing = timing
    self.hardwareAddress = hardwareAddress
    began = BootTime(sinceBoot: .zero)
    asked = began
  }

  /// Whether answers are waited for.
  public var isListening: Bool {
    switch phase {
    case .idle, .pausing, .bound: false
    case .selecting, .requesting, .rebooting, .renewing, .rebinding: true
    }
  }

  // MARK: - What comes from outside

  /// Starts to look for an address, for as long as the first lease may take.
  public mutating func begin(at now: BootTime) -> [Step] {
    limit = now + timing.acquisition
    return discover(at: now)
  }

  /// Looks for an address, however long it takes.
  public mutating func search(at now: BootTime) -> [Step] {
    discover(at: now)
  }

  /// Goes on with a lease from before a restart: asks whether it still holds.
  public mutating func resume(_ lease: DHCPLease, at now: BootTime) -> [Step] {
    self.lease = lease
    if let loss = expire(at: now) { return loss }
    return ask(.rebooting, at: now)
  }

  /// Does what is due.
  public mutating func pass(at now: BootTime) -> [Step] {
    guard let due, now >= due else { return [] }
    if let limit, now >= limit {
      phase = .idle
      self.due = nil
      return [.gaveUp]
    }
    if let loss = expire(at: now) { return loss }
    switch phase {
    case .idle: return []
    case .pausing: return discover(at: now)
    case .selecting: return again(at: now)
    case .requesting:
      return now >= asked + timing.exchange ? discover(at: now) : again(at: now)
    case .rebooting:
      guard now >= asked + timing.exchange else { return again(at: now) }
      // Nobody objects, so the lease holds to its end.
      rest()
      return pass(at: now)
    case .bound:
      return ask(isPast(lease?.rebinding, now) ? .rebinding : .renewing, at: now)
    case .renewing:
      return isPast(lease?.rebinding, now) ? ask(.rebinding, at: now) : again(at: now)
    case .rebinding: return again(at: now)
    }
  }

  /// Takes a message that has come in; whatever does not belong here is passed over.
  public mutating func receive(_ message: DHCPMessage, at now: BootTime) -> [Step] {
    guard isListening, message.isReply, message.transaction == transaction,
      message.hardwareAddress == hardwareAddress, let kind = message.kind,
      let server = message.server
    else { return [] }
    switch (phase, kind) {
    case (.selecting, .offer):
      guard let offer = readLease(message) else { return [] }
      return ask(.requesting(offer), at: now)
    case (.requesting(let offer), .acknowledgement) where server == offer.server:
      return grant(message)
    case (.requesting(let offer), .refusal) where server == offer.server:
      phase = .pausing
      plan(now + timing.pause(after: refusals))
      refusals += 1
      return []
    case (.renewing, .acknowledgement) where server == lease?.server:
      return grant(message)
    case (.rebooting, .acknowledgement), (.rebinding, .acknowledgement):
      return grant(message)
    case (.renewing, .refusal) where server == lease?.server:
      return lose(.refused, at: now)
    case (.rebooting, .refusal), (.rebinding, .refusal):
      return lose(.refused, at: now)
    default:
      return []
    }
  }

  /// Ends everything; gives the message that returns the lease, if there is one in force, or what has
  /// been requested: its server may have granted that by now, and would keep it for nobody.
  public mutating func stop(at now: BootTime) -> Step? {
    defer {
      lease = nil
      phase = .idle
      due = nil
    }
    guard let lease = lease ?? requested, !isPast(lease.end, now) else { return nil }
    transaction = .random(in: .min ... .max)
    let message = identity.release(of: lease, transaction: transaction, from: hardwareAddress)
    return .send(message, from: lease.address, to: lease.server)
  }
}
