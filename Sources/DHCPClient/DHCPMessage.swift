public import Addressing

/// A message between a DHCP client and a server.
///
/// RFC 2131, section 2; over Ethernet only.
public struct DHCPMessage: Hashable, Sendable {
  /// What a message says.
  ///
  /// RFC 2132, section 9.6.
  public enum Kind: UInt8, Hashable, Sendable {
    /// A client looks for servers.
    case discover = 1
    /// A server offers an address.
    case offer = 2
    /// A client asks for an address that it was offered or has.
    case request = 3
    /// A client has found the address taken.
    case decline = 4
    /// A server grants an address.
    case acknowledgement = 5
    /// A server refuses an address.
    case refusal = 6
    /// A client gives its address back.
    case release = 7
    /// A client has an address already and asks for the rest.
    case inform = 8
  }

  /// Whether it comes from a server. `op`
  public var isReply = false
  /// What ties an answer to its question. `xid`
  public var transaction: UInt32
  /// Seconds since the client began. `secs`
  public var seconds: UInt16 = 0
  /// Whether the client hears nothing that is sent to its own address yet. Flag `BROADCAST`
  public var wantsBroadcast = false
  /// The address that the client has and answers to. `ciaddr`
  public var clientAddress = IPv4Address(bits: 0)
  /// The address that the client is given. `yiaddr`
  public var yourAddress = IPv4Address(bits: 0)
  /// The next server of a boot. `siaddr`
  public var nextServer = IPv4Address(bits: 0)
  /// The relay that has passed the message on. `giaddr`
  public var relay = IPv4Address(bits: 0)
  /// The client's. `chaddr`
  public var hardwareAddress: HardwareAddress
  /// Everything else.
  public var options = DHCPOptions()

  /// A client's message without addresses.
  public init(_ kind: Kind, transaction: UInt32, from hardwareAddress: HardwareAddress) {
    self.transaction = transaction
    self.hardwareAddress = hardwareAddress
    options[.messageKind] = [kind.rawValue]
  }

  /// What the message says; nil when it does not tell.
  public var kind: Kind? {
    guard let bytes = options[.messageKind], bytes.count == 1 else { return nil }
    return Kind(rawValue: bytes[0])
  }

  /// The server that has sent it, or is meant; nil when it does not tell.
  public var server: IPv4Address? {
    guard let bytes = options[.serverIdentifier], bytes.count == 4 else { return nil }
    let server = IPv4Address(bytes)
    return server.isHost ? server : nil
  }
}

// MARK: - The bytes

/// Where the fixed part's fields lie.
private enum Layout {
  static let serverName = 44..<108
  static let file = 108..<236
  static let cookie = 236..<240
  static let options = 240
  /// BOOTP's size, below which some servers and relays do not listen.
  static let least = 300
}

extension DHCPMessage {
  private static var magicCookie: [UInt8] { [99, 130, 83, 99] }

  /// Reads a message, wherever its options lie.
  ///
  /// - Throws: ``DHCPMessageError``.
  public init(_ bytes: [UInt8]) throws(DHCPMessageError) {
    guard bytes.count >= Layout.options else { throw .tooShort(bytes.count) }
    guard Array(bytes[Layout.cookie]) == Self.magicCookie else { throw .notDHCP }
    guard bytes[0] == 1 || bytes[0] == 2, bytes[1] == 1, bytes[2] == 6,
      let hardwareAddress = HardwareAddress(bytes: bytes[28..<34])
    else { throw .notEthernet }
    isReply = bytes[0] == 2
    transaction = IPv4Address(bytes[4..<8]).bits
    seconds = UInt16(bytes[8]) << 8 | UInt16(bytes[9])
    wantsBroadcast = bytes[10] & 0x80 != 0
    clientAddress = IPv4Address(bytes[12..<16])
    yourAddress = IPv4Address(bytes[16..<20])
    nextServer = IPv4Address(bytes[20..<24])
    relay = IPv4Address(bytes[24..<28])
    self.hardwareAddress = hardwareAddress
    try options.take(bytes[Layout.options...])
    // First the file, then the name: the order in which parts of one option belong together.
    let overload = options[.overload]?.first ?? 0
    if overload & 1 != 0 { try options.take(bytes[Layout.file]) }
    if overload & 2 != 0 { try options.take(bytes[Layout.serverName]) }
    options[.overload] = nil
  }

  /// The message as it is sent.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = [isReply ? 2 : 1, 1, 6, 0]
    bytes += IPv4Address(bits: transaction).bytes
    bytes += [UInt8(seconds >> 8), UInt8(truncatingIfNeeded: seconds)]
    bytes += [wantsBroadcast ? 0x80 : 0, 0]
    for address in [clientAddress, yourAddress, nextServer, relay] { bytes += address.bytes }
    bytes += hardwareAddress.bytes
    bytes += [UInt8](repeating: 0, count: Layout.cookie.lowerBound - bytes.count)
    bytes += Self.magicCookie + options.bytes
    bytes += [UInt8](repeating: 0, count: max(0, Layout.least - bytes.count))
    return bytes
  }
}

extension IPv4Address {
  /// Four bytes in network order.
  init(_ bytes: some Collection<UInt8>) {
    self.init(bits: bytes.reduce(0) { $0 << 8 | UInt32($1) })
  }

  /// Whether it can be the address of an interface, as far as the number tells.
  var isHost: Bool {
    let address = IPAddress.v4(self)
    return !address.isUnspecified && !address.isLoopback && !address.isMulticast
      && bits >> 28 != 0xf && bits >> 24 != 0
  }
}
