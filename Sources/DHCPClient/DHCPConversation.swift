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
  public private(set) var phase = Phase.idle
  /// The lease in force.
  public private(set) var lease: DHCPLease?
  /// When ``pass(at:)`` is to be called next; nil for never.
  public private(set) var due: BootTime?

  /// Ties answers to what was asked last.
  private var transaction: UInt32 = 0
  /// When the client began to look for an address.
  private var began: BootTime
  /// When the first message of this exchange was sent.
  private var asked: BootTime
  /// How often it was sent again.
  private var attempt = 0
  /// How often offers were withdrawn since the last lease.
  private var refusals = 0
  /// When the first lease must be there; nil once there was one.
  private var limit: BootTime?

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
    var message = DHCPMessage(.release, transaction: transaction, from: hardwareAddress)
    message.clientAddress = lease.address
    message.options[.serverIdentifier] = lease.server.bytes
    message.options[.clientIdentifier] = clientIdentifier
    return .send(message, from: lease.address, to: lease.server)
  }

  // MARK: - Exchanges

  private mutating func discover(at now: BootTime) -> [Step] {
    if case .idle = phase { began = now }
    return ask(.selecting, at: now)
  }

  /// Begins an exchange.
  private mutating func ask(_ next: Phase, at now: BootTime) -> [Step] {
    // An offer and the request for it share their number; everything else is new.
    if case .requesting = next {} else { transaction = .random(in: .min ... .max) }
    phase = next
    asked = now
    attempt = 0
    return utter(at: now)
  }

  /// Asks the same again.
  private mutating func again(at now: BootTime) -> [Step] {
    attempt += 1
    return utter(at: now)
  }

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

  private func message(_ kind: DHCPMessage.Kind, at now: BootTime) -> DHCPMessage {
    var message = DHCPMessage(kind, transaction: transaction, from: hardwareAddress)
    message.seconds = UInt16(clamping: (now - began).components.seconds)
    message.wantsBroadcast = identity.wantsBroadcast
    message.options[.clientIdentifier] = identity.clientIdentifier
    for (option, value) in identity.provided { message.options[option] = value }
    message.options[.maximumMessageSize] = UInt16(1500).bytes
    message.options[.parameterRequestList] =
      identity.requested.isEmpty ? nil : identity.requested.map(\.rawValue)
    return message
  }

  /// What a server has offered and was asked for.
  private var requested: DHCPLease? {
    if case .requesting(let offer) = phase { offer } else { nil }
  }

  private var clientIdentifier: [UInt8] {
    identity.provided.last { $0.option == .clientIdentifier }?.value ?? identity.clientIdentifier
  }

  // MARK: - Leases

  private func readLease(_ message: DHCPMessage) -> DHCPLease? {
    do throws(DHCPMessageError) {
      return try DHCPLease(message, askedAt: asked)
    } catch {
      // As if nothing had come: another server may do better.
      return nil
    }
  }

  private mutating func grant(_ message: DHCPMessage) -> [Step] {
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
  private mutating func rest() {
    phase = .bound
    guard let lease, let renewal = lease.renewal else {
      due = nil
      return
    }
    // A little early, so that clients that started together do not stay together; RFC 2131, 4.4.5.
    plan(renewal + (lease.start - renewal) * Double.random(in: 0...0.05))
  }

  /// What follows from the lease's end, if that has come.
  private mutating func expire(at now: BootTime) -> [Step]? {
    isPast(lease?.end, now) ? lose(.expired, at: now) : nil
  }

  private mutating func lose(_ loss: Loss, at now: BootTime) -> [Step] {
    guard let lost = lease else { return [] }
    lease = nil
    began = now
    return [.lost(lost, loss)] + discover(at: now)
  }

  private func isPast(_ moment: BootTime?, _ now: BootTime) -> Bool {
    moment.map { now >= $0 } ?? false
  }

  /// Sets the next time to act; the limit of the first lease and the lease's end come before it.
  private mutating func plan(_ moment: BootTime) {
    due = [moment, limit, lease?.end].compactMap { $0 }.min()
  }
}
