internal import Addressing

/// Addresses that no interface of a container can have (RFC 6890).
enum SpecialAddresses {
  static let all: [(Subnet, String)] = [
    (block(0, 32, .v4), "the address that means none"),
    (block(127 << 24, 8, .v4), "loopback addresses"),
    (block(224 << 24, 4, .v4), "multicast addresses"),
    (block(0xffff_ffff, 32, .v4), "the broadcast address"),
    (block(0, 128, .v6), "the address that means none"),
    (block(1, 128, .v6), "the loopback address"),
    (block(0xff << 120, 8, .v6), "multicast addresses"),
  ]

  private static func block(_ bits: UInt128, _ length: Int, _ family: IPFamily) -> Subnet {
    do {
      return Subnet(
        containing: IPAddress(bits: bits, family: family),
        prefix: try Prefix(length: length, family: family))
    } catch {
      preconditionFailure("a length in the table above is wrong: \(error)")
    }
  }
}
