public import Addressing

/// Why a subnet and its limits are no range to allocate from.
///
/// The wording of the cases that upstream has too is upstream's, since people search for it.
public enum AddressRangeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A subnet of one or two addresses.
  case tooSmall(Subnet)
  /// A subnet with addresses that no interface can have, and what they are.
  case notForInterfaces(Subnet, String)
  /// The first address lies elsewhere.
  case startOutside(IPAddress, Subnet)
  /// The last address lies elsewhere.
  case endOutside(IPAddress, Subnet)
  /// The last address comes before the first.
  case endBeforeStart(IPAddress, Subnet, start: IPAddress)
  /// A gateway that the containers could not speak to.
  case gatewayOfOtherFamily(IPAddress, Subnet)
  /// A gateway that no router can have, and what it is instead.
  case notAGateway(IPAddress, String)
  /// A set without a range.
  case emptySet
  /// IPv4 and IPv6 in one set.
  case mixedFamilies
  /// Two ranges that share addresses.
  case overlap(AddressRange, AddressRange)

  /// What is wrong, with the values concerned.
  public var description: String {
    switch self {
    case .tooSmall(let subnet):
      "Network \(subnet) too small to allocate from"
    case .notForInterfaces(let subnet, let meaning):
      "Network \(subnet) cannot be allocated from: it holds \(meaning)"
    case .startOutside(let address, let subnet):
      "RangeStart \(address) not in network \(subnet)"
    case .endOutside(let address, let subnet):
      "RangeEnd \(address) not in network \(subnet)"
    case .endBeforeStart(let address, let subnet, let start):
      "RangeEnd \(address) not in network \(subnet) after RangeStart \(start)"
    case .gatewayOfOtherFamily(let address, let subnet):
      "gateway \(address) is not of the family of network \(subnet)"
    case .notAGateway(let address, let meaning):
      "gateway \(address) is not a router: it is or belongs to \(meaning)"
    case .emptySet:
      "empty range set"
    case .mixedFamilies:
      "mixed address families"
    case .overlap(let one, let other):
      "subnets \(one) and \(other) overlap"
    }
  }
}
