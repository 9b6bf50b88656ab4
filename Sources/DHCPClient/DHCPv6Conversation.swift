public import Addressing
public import Linux

/// What a client does to get an IPv6 address and to keep it.
///
/// RFC 8415, section 18.2, for one address of one link. Like ``DHCPConversation`` it holds no socket
/// and reads no clock. It takes the first offer that it can use: to wait for others, as section
/// 18.2.1 has it, would cost every container a second for the few networks with several servers.
public struct DHCPv6Conversation: Sendable {
  /// Where the client stands.
  public enum Phase: Hashable, Sendable {
    /// Nothing goes on.
    case idle
    /// It has been refused, and waits a little before it begins anew.
    case pausing
    /// It looks for servers.
    case soliciting
    /// It asks a server for an address that it was offered, or had before.
    case requesting(IPv6Address, of: [UInt8])
    /// It has its lease.
    case bound
    /// It asks its server for more time.
    case renewing
    /// It asks any server for more time.
    case rebinding
  }

  /// What is to be done.
  public enum Step: Hashable, Sendable {
    /// Send to all servers and relays of the link, ff02::1:2.
    case send(DHCPv6Message)
    /// The lease is ours, or ours for longer.
    case granted(DHCPv6Lease)
    /// The address must not be used any more; the client looks for another.
    case lost(DHCPv6Lease, DHCPConversation.Loss)
  }

  /// Who the client is. DUID
  public let identifier: [UInt8]
  /// How patient it is; the first lease takes as long as its owner lets it.
  public let timing: DHCPTiming
  /// Where it stands.
  public internal(set) var phase = Phase.idle
  /// The lease in force.
  public internal(set) var lease: DHCPv6Lease?
  /// Why a server has given nothing, the last time that one said so.
  public internal(set) var refusal: DHCPv6Status?
  /// When ``pass(at:)`` is to be called next; nil for never.
  public internal(set) var due: BootTime?

  /// Ties answers to what was asked last.
  var transaction: UInt32 = 0
  /// When the first message of this exchange was sent.
  var asked = BootTime(sinceBoot: .zero)
  /// How often it was sent again.
  var attempt = 0
  /// How long until it is sent again.
  var pause = Duration.zero
  /// How often offers were withdrawn since the last lease.
  var refusals = 0
  /// The server that has withdrawn its offer last: others are heard first.
  var avoided: [UInt8]?

  /// A client at rest.
  ///
  /// - Parameters:
  ///   - identifier: its DUID.
  ///   - lease: the one from before a restart.
  ///   - timing: how patient it is.
  public init(
    _ identifier: [UInt8], resuming lease: DHCPv6Lease? = nil, timing: DHCPTiming = DHCPTiming()
  ) {
    self.identifier = identifier
    self.lease = lease
    self.timing = timing
  }

  /// The DUID that is made of a UUID's 16 bytes. RFC 6355
  public static func identifier(uuid: some Collection<UInt8>) -> [UInt8] { [0, 4] + uuid }

  /// Whether answers are waited for.
  public var isListening: Bool {
    switch phase {
    case .idle, .pausing, .bound: false
    case .soliciting, .requesting, .renewing, .rebinding: true
    }
  }

  // MARK: - What comes from outside

  /// Starts to look for an address, or asks whether the one from before a restart still holds.
  public mutating func begin(at now: BootTime) -> [Step] {
    if let loss = expire(at: now) { return loss }
    return ask(lease == nil ? .soliciting : .rebinding, at: now)
  }

  /// Does what is due.
  public mutating func pass(at now: BootTime) -> [Step] {
    guard let due, now >= due else { return [] }
    if let loss = expire(at: now) { return loss }
    switch phase {
    case .idle: return []
    case .pausing: return ask(.soliciting, at: now)
    case .soliciting, .rebinding: return again(at: now)
    case .requesting(_, let server):
      guard now >= asked + timing.exchange else { return again(at: now) }
      avoided = server
      return ask(.soliciting, at: now)
    case .bound, .renewing:
      if let rebinding = lease?.rebinding, now >= rebinding { return ask(.rebinding, at: now) }
      return phase == .bound ? ask(.renewing, at: now) : again(at: now)
    }
  }

  /// Takes a message that has come in; whatever does not belong here is passed over.
  public mutating func receive(_ message: DHCPv6Message, at now: BootTime) -> [Step] {
    guard message.transaction == transaction, let server = message.server,
      message[DHCPv6Option.clientIdentifier] == identifier
    else { return [] }
    switch (phase, message.kind) {
    case (.soliciting, .advertise):
      if server == avoided, attempt == 0 { return [] }
      guard let offer = DHCPv6Lease(message, askedAt: asked) else {
        note(message.status)
        return []
      }
      return ask(.requesting(offer.address, of: server), at: now)
    case (.requesting(_, let asked), .reply) where server == asked:
      return settle(message, at: now) ?? refuse(server, at: now)
    case (.renewing, .reply) where server == lease?.server:
      return settle(message, at: now) ?? []
    case (.rebinding, .reply):
      return settle(message, at: now) ?? []
    default:
      return []
    }
  }

  /// Gives an address back that another host has, and looks for another one.
  ///
  /// RFC 8415, section 18.2.8.
  public mutating func decline(at now: BootTime) -> [Step] {
    guard let declined = lease else { return [] }
    lease = nil
    let message = message(.decline, about: declined.address, to: declined.server, at: now)
    return [.send(message)] + refuse(declined.server, at: now)
  }

  /// Ends everything; gives the message that returns the lease, if there is one in force, or what has
  /// been requested: its server may have granted that by now, and would keep it for nobody.
  public mutating func stop(at now: BootTime) -> DHCPv6Message? {
    defer {
      lease = nil
      phase = .idle
      due = nil
    }
    guard let lease else {
      guard case .requesting(let address, let server) = phase else { return nil }
      return message(.release, about: address, to: server, at: now)
    }
    guard lease.end.map({ now < $0 }) ?? true else { return nil }
    return message(.release, about: lease.address, to: lease.server, at: now)
  }
}
