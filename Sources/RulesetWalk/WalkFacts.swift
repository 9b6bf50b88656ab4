public import Addressing

/// What rules ask about the host that is not in the packet; nil where it cannot be told.
///
/// Plain closures, so that a table of a test serves as well as a kernel.
public struct WalkFacts {
  /// What kind of route leads to an address, by way of one link only if its number is given.
  ///
  /// Kernel name: `RTN_…`.
  public var addressType: (_ address: IPAddress, _ link: UInt32?) -> UInt8?
  /// The link that leads to an address, or `.some(nil)` if none does.
  public var link: (_ address: IPAddress) -> PacketLink??
  /// The address that a packet takes when it leaves masked by a link.
  public var ownAddress: (_ link: PacketLink, _ destination: IPAddress) -> IPAddress?

  /// Takes the answers.
  public init(
    addressType: @escaping (_ address: IPAddress, _ link: UInt32?) -> UInt8? = { _, _ in nil },
    link: @escaping (_ address: IPAddress) -> PacketLink?? = { _ in nil },
    ownAddress: @escaping (_ link: PacketLink, _ destination: IPAddress) -> IPAddress? = { _, _ in
      nil
    }
  ) {
    self.addressType = addressType
    self.link = link
    self.ownAddress = ownAddress
  }
}

/// A part of all cases, exactly.
public struct Share: Hashable, Sendable {
  /// So many of them.
  public let numerator: UInt64
  /// How many there are.
  public let denominator: UInt64

  /// All of them.
  public static let all = Share(1, of: 1)

  /// So many of so many.
  ///
  /// - Precondition: `denominator` is not 0.
  public init(_ numerator: UInt64, of denominator: UInt64) {
    precondition(denominator > 0, "a share of nothing")
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    let divisor = max(a, 1)
    self.numerator = numerator / divisor
    self.denominator = denominator / divisor
  }

  /// A share of a share.
  public static func * (left: Share, right: Share) -> Share {
    let (numerator, first) = left.numerator.multipliedReportingOverflow(by: right.numerator)
    let (denominator, second) = left.denominator.multipliedReportingOverflow(by: right.denominator)
    // Behind so many draws the exact share says nothing to anybody.
    return first || second ? Share(0, of: 1) : Share(numerator, of: denominator)
  }

  /// Both together.
  public static func + (left: Share, right: Share) -> Share {
    let (first, a) = left.numerator.multipliedReportingOverflow(by: right.denominator)
    let (second, b) = right.numerator.multipliedReportingOverflow(by: left.denominator)
    let (both, c) = left.denominator.multipliedReportingOverflow(by: right.denominator)
    let (sum, d) = first.addingReportingOverflow(second)
    return a || b || c || d ? Share(0, of: 1) : Share(sum, of: both)
  }
}

extension Share: CustomStringConvertible {
  /// As a fraction: `1/3`.
  public var description: String { "\(numerator)/\(denominator)" }
}
