/// A transport protocol whose packets have ports, by its number.
///
/// Kernel name: `IPPROTO_TCP`, `IPPROTO_UDP`, `IPPROTO_SCTP`.
public enum Transport: UInt8, Sendable, CaseIterable {
  case tcp = 6
  case udp = 17
  case sctp = 132

  /// Its name in configurations and in rules.
  public var name: String {
    switch self {
    case .tcp: "tcp"
    case .udp: "udp"
    case .sctp: "sctp"
    }
  }

  /// Reads a name, in whatever case.
  public init?(_ name: String) {
    guard let transport = Self.allCases.first(where: { $0.name == name.lowercased() }) else {
      return nil
    }
    self = transport
  }
}
