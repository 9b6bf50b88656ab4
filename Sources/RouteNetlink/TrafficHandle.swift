/// The name of a queueing discipline or class on its link, or the place where one hangs.
///
/// Written as two hexadecimal numbers: `1:` is a queueing discipline, `1:30` a class of it.
///
/// Kernel name: `tcm_handle`, `tcm_parent`, `TC_H_…`.
public struct TrafficHandle: Hashable, Sendable, CustomStringConvertible {
  /// The number as the kernel has it.
  public let rawValue: UInt32

  /// Takes any number.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// A queueing discipline, or a class of it.
  public init(_ major: UInt16, _ minor: UInt16 = 0) {
    rawValue = UInt32(major) << 16 | UInt32(minor)
  }

  /// Nothing, or whatever the kernel chooses. `TC_H_UNSPEC`
  public static let none = TrafficHandle(rawValue: 0)
  /// The place for what a link sends. `TC_H_ROOT`
  public static let root = TrafficHandle(rawValue: 0xffff_ffff)
  /// The place for what a link receives. `TC_H_INGRESS`
  public static let ingress = TrafficHandle(rawValue: 0xffff_fff1)
  /// The queueing discipline at the place for what a link receives: `ffff:`.
  public static let ingressQueue = TrafficHandle(0xffff)

  /// The class's number within its queueing discipline.
  public var minor: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  /// As `tc` writes it.
  public var description: String {
    switch self {
    case .root: return "root"
    case .ingress: return "ingress"
    default:
      let minor = minor == 0 ? "" : String(minor, radix: 16)
      return "\(String(rawValue >> 16, radix: 16)):\(minor)"
    }
  }
}
