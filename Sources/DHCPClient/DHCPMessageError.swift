/// What is wrong with the bytes that should have been a DHCP message.
public enum DHCPMessageError: Error, Hashable, Sendable {
  /// The fixed part is not whole.
  case tooShort(Int)
  /// The magic cookie is missing: it is BOOTP, or nothing of the kind.
  case notDHCP
  /// It is not about Ethernet.
  case notEthernet
  /// An option reaches beyond its field.
  case optionTooLong(UInt8)
  /// An option that is needed is missing, or has a length or value that it cannot have.
  case badOption(DHCPOption)
  /// The address that is given can be no host's.
  case badAddress
}

extension DHCPMessageError: CustomStringConvertible {
  /// One clause.
  public var description: String {
    switch self {
    case .tooShort(let count): "a message of \(count) bytes is too short"
    case .notDHCP: "the magic cookie is missing"
    case .notEthernet: "the message is not about Ethernet"
    case .optionTooLong(let number): "option \(number) reaches beyond its field"
    case .badOption(let option): "option \(option.rawValue) is missing or makes no sense"
    case .badAddress: "the address can be no host's"
    }
  }
}
