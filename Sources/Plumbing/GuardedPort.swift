public import Addressing

/// A link of the host by which a container's packets come in, and what it may send.
public struct GuardedPort: Hashable, Sendable {
  /// The link.
  let port: InterfaceName
  /// The only hardware address that may send from it.
  let address: HardwareAddress
  /// The only addresses that may send from it; `nil` if all may.
  let sources: [IPAddress]?

  /// A port whose frames come from one hardware address, and whose packets come from anywhere.
  public init(_ port: InterfaceName, _ address: HardwareAddress) {
    self.init(port: port, address: address, sources: nil)
  }

  /// A port whose packets come from these addresses, or from the link-local one that goes with the
  /// hardware address.
  ///
  /// - Parameters:
  ///   - port: the link.
  ///   - address: the hardware address.
  ///   - sources: what the container has been given so far.
  public init(_ port: InterfaceName, _ address: HardwareAddress, sources: [IPAddress]) {
    let own = IPAddress.linkLocal(of: address)
    self.init(port: port, address: address, sources: [own] + sources.filter { $0 != own })
  }

  private init(port: InterfaceName, address: HardwareAddress, sources: [IPAddress]?) {
    self.port = port
    self.address = address
    self.sources = sources
  }

  /// Reads what a register says; nil for words that somebody else wrote.
  init?(words: [String]) {
    guard words.count >= 2 else { return nil }
    do {
      port = try InterfaceName(words[0])
      address = try HardwareAddress(words[1])
      sources =
        words.count == 2
        ? nil
        : try words.dropFirst(2).map { word throws(AddressParseError) in try IPAddress(word) }
    } catch {
      return nil
    }
  }

  /// As a register keeps it.
  var words: [String] { [port.text, address.description] + (sources ?? []).map(\.description) }
}

extension IPAddress {
  /// The address that an interface makes itself by its hardware address. RFC 4291, appendix A
  fileprivate static func linkLocal(of address: HardwareAddress) -> IPAddress {
    let bytes = address.bytes
    let identifier = [bytes[0] ^ 2, bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4], bytes[5]]
    let low = identifier.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
    return .v6(IPv6Address(bits: 0xfe80 << 112 | low))
  }
}
