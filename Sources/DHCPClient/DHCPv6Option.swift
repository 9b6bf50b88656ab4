/// A part of a message: a number and bytes.
public struct DHCPv6Option: Hashable, Sendable {
  /// IANA's number.
  public let code: UInt16
  /// What it holds.
  public let bytes: [UInt8]

  /// A part.
  public init(_ code: UInt16, _ bytes: [UInt8]) {
    self.code = code
    self.bytes = bytes
  }

  static let clientIdentifier: UInt16 = 1
  static let serverIdentifier: UInt16 = 2
  static let association: UInt16 = 3
  static let address: UInt16 = 5
  static let requestList: UInt16 = 6
  static let elapsedTime: UInt16 = 8
  static let status: UInt16 = 13
  static let nameServers: UInt16 = 23
  static let domains: UInt16 = 24

  static func bytes(of options: [DHCPv6Option]) -> [UInt8] {
    options.flatMap { $0.code.bytes + UInt16(clamping: $0.bytes.count).bytes + $0.bytes }
  }

  /// Reads a field of options; nil if one reaches beyond it.
  static func list(_ field: ArraySlice<UInt8>) -> [DHCPv6Option]? {
    var options: [DHCPv6Option] = []
    var rest = field
    while !rest.isEmpty {
      guard rest.count >= 4 else { return nil }
      let code = UInt16(truncatingIfNeeded: number(rest.prefix(2)))
      let length = Int(number(rest.dropFirst(2).prefix(2)))
      rest = rest.dropFirst(4)
      guard rest.count >= length else { return nil }
      options.append(DHCPv6Option(code, Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    return options
  }

  /// Up to four bytes in network order.
  static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }
}

/// What a server says of a request.
///
/// RFC 8415, section 21.13.
public enum DHCPv6Status: UInt16, Hashable, Sendable {
  /// It is granted. `Success`
  case success = 0
  /// It is not, for a reason that has no number. `UnspecFail`
  case failure = 1
  /// There is no address left. `NoAddrsAvail`
  case noAddresses = 2
  /// The server knows of no such lease. `NoBinding`
  case noBinding = 3
  /// The address does not belong on this link. `NotOnLink`
  case notOnLink = 4
  /// The client should have asked all servers at once. `UseMulticast`
  case useMulticast = 5

  /// Reads it from the options it stands among, where none means success.
  init(_ options: [DHCPv6Option]) {
    guard let bytes = options.first(where: { $0.code == DHCPv6Option.status })?.bytes else {
      self = .success
      return
    }
    let number = bytes.count < 2 ? nil : UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    self = number.flatMap(DHCPv6Status.init(rawValue:)) ?? .failure
  }
}
