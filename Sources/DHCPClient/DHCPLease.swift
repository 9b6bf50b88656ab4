public import Addressing
public import Linux

/// An address that a server has granted for a time, with what it says beside it.
///
/// It is made of the server's own message, so what a file keeps of it is that message and a moment.
public struct DHCPLease: Hashable, Sendable {
  /// The server's acknowledgement, whole.
  public private(set) var message: DHCPMessage
  /// When it was asked for, from which on its times count.
  public let start: BootTime

  /// The address.
  public let address: IPv4Address
  /// The server that has granted it.
  public let server: IPv4Address
  /// How long it lasts; nil for ever.
  public let duration: Duration?

  /// Reads an acknowledgement or an offer.
  ///
  /// - Parameters:
  ///   - message: the server's message.
  ///   - start: when the client asked for it.
  /// - Throws: ``DHCPMessageError`` when it grants nothing that could be used.
  public init(_ message: DHCPMessage, askedAt start: BootTime) throws(DHCPMessageError) {
    guard message.yourAddress.isHost else { throw .badAddress }
    guard let server = message.server else { throw .badOption(.serverIdentifier) }
    let seconds = try message.options.seconds(.leaseTime) ?? Self.usualDuration
    // A lease of no time would have us ask again without end.
    guard seconds >= 2 else { throw .badOption(.leaseTime) }
    self.message = message
    self.start = start
    self.server = server
    address = message.yourAddress
    duration = seconds == .max ? nil : .seconds(Int64(seconds))
  }

  /// What upstream takes a lease for that tells no time: an hour.
  private static var usualDuration: UInt32 { 3600 }

  /// The lease as if its server had not said some things.
  public func disregarding(_ options: [DHCPOption]) -> DHCPLease {
    var lease = self
    for option in options { lease.message.options[option] = nil }
    return lease
  }

  /// When the address is no longer ours; nil for never.
  public var end: BootTime? { duration.map { start + $0 } }

  /// When the server is to be asked for more time, T1; nil for never.
  public var renewal: BootTime? { times.map { start + $0.renewal } }

  /// When any server is to be asked for more time, T2; nil for never.
  public var rebinding: BootTime? { times.map { start + $0.rebinding } }

  /// T1 and T2 as the server says, or in RFC 2131's proportion to the lease.
  private var times: (renewal: Duration, rebinding: Duration)? {
    guard let duration else { return nil }
    let told = (told(.renewalTime), told(.rebindingTime))
    let rebinding = told.1.flatMap { $0 < duration ? $0 : nil } ?? duration * 7 / 8
    let renewal = told.0.flatMap { $0 < rebinding ? $0 : nil } ?? min(duration / 2, rebinding)
    return (renewal, rebinding)
  }

  private func told(_ option: DHCPOption) -> Duration? {
    guard let bytes = message.options[option], bytes.count == 4 else { return nil }
    let seconds = IPv4Address(bytes).bits
    return seconds == 0 ? nil : .seconds(Int64(seconds))
  }
}

extension DHCPOptions {
  /// A time in seconds; nil when it is not there.
  fileprivate func seconds(_ option: DHCPOption) throws(DHCPMessageError) -> UInt32? {
    guard let bytes = self[option] else { return nil }
    guard bytes.count == 4 else { throw .badOption(option) }
    return IPv4Address(bytes).bits
  }
}
