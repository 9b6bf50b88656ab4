public import Addressing
public import Linux

/// An IPv6 address that a server has granted for a time.
///
/// RFC 8415: one address of one association (IA_NA). Made of the server's own message, as
/// ``DHCPLease`` is.
public struct DHCPv6Lease: Hashable, Sendable {
  /// The server's reply, whole.
  public let message: DHCPv6Message
  /// When it was asked for, from which on its times count.
  public let start: BootTime
  /// The address.
  public let address: IPv6Address
  /// The server that has granted it. DUID
  public let server: [UInt8]
  /// When the server is to be asked for more time, T1; nil for never.
  public let renewal: BootTime?
  /// When any server is to be asked for more time, T2; nil for never.
  public let rebinding: BootTime?
  /// When the address is no longer ours; nil for never.
  public let end: BootTime?

  /// Reads an advertisement or a reply; nil when it grants nothing that could be used.
  ///
  /// - Parameters:
  ///   - message: the server's message.
  ///   - start: when the client asked for it.
  public init?(_ message: DHCPv6Message, askedAt start: BootTime) {
    guard let server = message.server, message.status == .success,
      let association = message.association,
      let granted = association.addresses.first(where: \.isUsable)
    else { return nil }
    self.message = message
    self.start = start
    self.server = server
    address = granted.address
    guard granted.lifetime != .max else {
      (renewal, rebinding, end) = (nil, nil, nil)
      return
    }
    // RFC 8415, section 14.2: 0 leaves the time to the client; 0.5 and 0.8 of the lifetime.
    let lifetime = Double(granted.lifetime)
    let told = (Double(association.renewal), Double(association.rebinding))
    let rebinding = 0 < told.1 && told.1 < lifetime ? told.1 : lifetime * 0.8
    let renewal = 0 < told.0 && told.0 <= rebinding ? told.0 : rebinding * 5 / 8
    self.renewal = start + .seconds(1) * renewal
    self.rebinding = start + .seconds(1) * rebinding
    end = start + .seconds(Int64(granted.lifetime))
  }

  /// The name servers, the preferred one first.
  public var nameServers: [IPv6Address] {
    guard let bytes = message[DHCPv6Option.nameServers], bytes.count % 16 == 0 else {
      return []
    }
    return stride(from: 0, to: bytes.count, by: 16).prefix(16).compactMap { place in
      guard case .v6(let address)? = IPAddress(bytes: bytes[place..<place + 16]),
        IPAddress.v6(address).isGlobalUnicast
      else { return nil }
      return address
    }
  }

  /// The domains to search.
  public var searchDomains: [String] {
    message[DHCPv6Option.domains].flatMap(DomainNames.list) ?? []
  }
}
