internal import Addressing

/// What a server says of a client's addresses on one link.
///
/// RFC 8415, section 21.4: `OPTION_IA_NA`.
struct DHCPv6Association {
  /// The one that each client has. `IAID`
  static let number: UInt32 = 1

  /// T1 and T2, in seconds; 0 leaves them to the client.
  let renewal: UInt32
  let rebinding: UInt32
  let addresses: [Address]
  let options: [DHCPv6Option]

  /// An address and for how long. RFC 8415, section 21.6: `OPTION_IAADDR`
  struct Address {
    let address: IPv6Address
    /// In seconds; all ones for ever. `preferred-lifetime`
    let preference: UInt32
    /// In seconds; all ones for ever. `valid-lifetime`
    let lifetime: UInt32
    let status: DHCPv6Status

    /// Whether it can be an interface's.
    ///
    /// As with IPv4, less than two seconds would have us ask without end.
    var isUsable: Bool {
      status == .success && lifetime >= 2 && preference <= lifetime
        && IPAddress.v6(address).isGlobalUnicast && address.mapped == nil
    }
  }

  /// Reads it; nil when it is damaged or another's.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= 12, DHCPv6Option.number(bytes[0..<4]) == Self.number,
      let options = DHCPv6Option.list(bytes[12...])
    else { return nil }
    renewal = DHCPv6Option.number(bytes[4..<8])
    rebinding = DHCPv6Option.number(bytes[8..<12])
    addresses = options.filter { $0.code == DHCPv6Option.address }.compactMap { Address($0.bytes) }
    self.options = options
  }

  /// What a client says of it: the address it means, if it means any.
  static func option(_ address: IPv6Address?) -> DHCPv6Option {
    var bytes = IPv4Address(bits: number).bytes + [UInt8](repeating: 0, count: 8)
    if let address {
      let entry = address.bytes + [UInt8](repeating: 0, count: 8)
      bytes += DHCPv6Option.bytes(of: [DHCPv6Option(DHCPv6Option.address, entry)])
    }
    return DHCPv6Option(DHCPv6Option.association, bytes)
  }

  /// Whether the server takes an address back. RFC 8415, section 18.2.10.1: a lifetime of nothing
  func withdraws(_ address: IPv6Address) -> Bool {
    addresses.contains { $0.address == address && $0.lifetime == 0 }
  }
}

extension DHCPv6Association.Address {
  fileprivate init?(_ bytes: [UInt8]) {
    guard bytes.count >= 24, case .v6(let address)? = IPAddress(bytes: bytes[0..<16]),
      let options = DHCPv6Option.list(bytes[24...])
    else { return nil }
    self.address = address
    preference = DHCPv6Option.number(bytes[16..<20])
    lifetime = DHCPv6Option.number(bytes[20..<24])
    status = DHCPv6Status(options)
  }
}
