internal import CLinux

/// What a packet is to its connection, one of several. `ct state`
public struct ConnectionState: OptionSet, Hashable, Sendable {
  /// The kernel's bits.
  public let rawValue: UInt32

  /// Takes any bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// It belongs to none that makes sense. `NF_CT_STATE_INVALID_BIT`
  public static let invalid = ConnectionState(rawValue: 1)
  /// Packets have passed both ways. `IP_CT_ESTABLISHED`
  public static let established = ConnectionState(IP_CT_ESTABLISHED)
  /// It belongs to another one, such as an error message. `IP_CT_RELATED`
  public static let related = ConnectionState(IP_CT_RELATED)
  /// It is the first. `IP_CT_NEW`
  public static let new = ConnectionState(IP_CT_NEW)

  /// Kernel name: `NF_CT_STATE_BIT`.
  private init(_ number: ip_conntrack_info) {
    self.init(rawValue: 1 << (number.rawValue % IP_CT_IS_REPLY.rawValue + 1))
  }
}

/// What has been done to a connection, one of several. `ct status`
public struct ConnectionStatus: OptionSet, Hashable, Sendable {
  /// The kernel's bits. `enum ip_conntrack_status`
  public let rawValue: UInt32

  /// Takes any bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Its source is replaced. `IPS_SRC_NAT`
  public static let sourceTranslated = ConnectionStatus(rawValue: IPS_SRC_NAT.rawValue)
  /// Its destination is replaced. `IPS_DST_NAT`
  public static let destinationTranslated = ConnectionStatus(rawValue: IPS_DST_NAT.rawValue)
}

extension UInt32 {
  /// Its bytes as registers hold numbers of the host.
  var hostBytes: [UInt8] {
    unsafe withUnsafeBytes(of: self) { unsafe Array($0) }
  }
}
