extension IPAddress {
  /// Whether it means this very host: 127.0.0.0/8 or ::1.
  public var isLoopback: Bool {
    switch self {
    case .v4(let address): address.bits >> 24 == 127
    case .v6(let address): address.bits == 1
    }
  }

  /// Whether it means a group of hosts: 224.0.0.0/4 or ff00::/8.
  public var isMulticast: Bool {
    switch self {
    case .v4(let address): address.bits >> 28 == 0xe
    case .v6(let address): address.bits >> 120 == 0xff
    }
  }

  /// Whether it is the address that means none: 0.0.0.0 or ::.
  public var isUnspecified: Bool { bits == 0 }

  /// Whether it is valid on one link only: 169.254.0.0/16 or fe80::/10.
  public var isLinkLocal: Bool {
    switch self {
    case .v4(let address): address.bits >> 16 == 0xa9fe
    case .v6(let address): address.bits >> 118 == 0x3fa
    }
  }

  /// Whether it can name one interface beyond its link.
  ///
  /// Private and unique local addresses count; loopback, multicast, link-local, unspecified and
  /// the IPv4 broadcast address do not.
  public var isGlobalUnicast: Bool {
    !isUnspecified && !isLoopback && !isMulticast && !isLinkLocal
      && self != .v4(IPv4Address(255, 255, 255, 255))
  }
}
