internal import Addressing

/// A message between a DHCPv6 client and a server.
///
/// RFC 8415, section 8; options in section 21.
public struct DHCPv6Message: Hashable, Sendable {
  /// What a message says.
  public enum Kind: UInt8, Hashable, Sendable {
    /// A client looks for servers.
    case solicit = 1
    /// A server offers itself.
    case advertise = 2
    /// A client asks a server for what it has offered.
    case request = 3
    /// A client asks its server for more time.
    case renew = 5
    /// A client asks any server for more time.
    case rebind = 6
    /// A server answers.
    case reply = 7
    /// A client gives its addresses back.
    case release = 8
    /// A client has found an address taken.
    case decline = 9
  }

  /// What the message says.
  public var kind: Kind
  /// What ties an answer to its question, in the low 24 bits.
  public var transaction: UInt32
  /// Everything else, in order.
  public var options: [DHCPv6Option]

  /// A message.
  public init(_ kind: Kind, transaction: UInt32, options: [DHCPv6Option] = []) {
    self.kind = kind
    self.transaction = transaction & 0xff_ffff
    self.options = options
  }

  /// Reads a message; nil for one that is damaged or of a kind that no client hears or says.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count >= 4, let kind = Kind(rawValue: bytes[0]),
      let options = DHCPv6Option.list(bytes[4...])
    else { return nil }
    self.init(kind, transaction: DHCPv6Option.number(bytes[1..<4]), options: options)
  }

  /// The message as it is sent.
  public var bytes: [UInt8] {
    [kind.rawValue] + IPv4Address(bits: transaction).bytes.dropFirst()
      + DHCPv6Option.bytes(of: options)
  }

  /// The bytes of the first option of a number.
  public subscript(code: UInt16) -> [UInt8]? { options.first { $0.code == code }?.bytes }

  /// The server that has sent it, its DUID; nil when it tells none of a length that there can be.
  public var server: [UInt8]? {
    guard let server = self[DHCPv6Option.serverIdentifier], 3...130 ~= server.count else {
      return nil
    }
    return server
  }

  /// What the server says of the request: as a whole, or else of its association.
  public var status: DHCPv6Status {
    let whole = DHCPv6Status(options)
    return whole == .success ? DHCPv6Status(association?.options ?? []) : whole
  }

  /// What the server says of the one association of a client; nil when it says nothing, or when that
  /// is damaged.
  var association: DHCPv6Association? {
    options.lazy.filter { $0.code == DHCPv6Option.association }
      .compactMap { DHCPv6Association($0.bytes) }.first
  }
}
