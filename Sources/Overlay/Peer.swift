public import Addressing

/// Another node, as this one knows it.
public struct Peer: Hashable, Sendable {
  /// Its name.
  public let name: NodeName
  /// Where it is reached, at most one address of each family.
  public let underlay: [IPAddress]
  /// Which pods are behind it.
  public let subnets: [Subnet]
  /// The hardware addresses of its tunnels, by the family they travel over, where they were told.
  ///
  /// A node of ours derives its own from its name, so that nobody needs to be told.
  public let hardwareAddresses: [IPFamily: HardwareAddress]

  /// Describes a peer.
  public init(
    name: NodeName, underlay: [IPAddress], subnets: [Subnet],
    hardwareAddresses: [IPFamily: HardwareAddress] = [:]
  ) {
    self.name = name
    self.underlay = underlay
    self.subnets = subnets
    self.hardwareAddresses = hardwareAddresses
  }

  /// Whether it runs flannel: its tunnels have hardware addresses that do not follow from its name.
  public var runsFlannel: Bool {
    hardwareAddresses.contains { $0.value != VXLAN.hardwareAddress(of: name, over: $0.key) }
  }

  /// Where it is reached over a family.
  public func underlay(_ family: IPFamily) -> IPAddress? {
    underlay.first { $0.family == family }
  }

  /// The hardware address of its tunnel over a family.
  public func hardwareAddress(over family: IPFamily) -> HardwareAddress {
    hardwareAddresses[family] ?? VXLAN.hardwareAddress(of: name, over: family)
  }
}
