/// A run of VLANs that a bridge's port, or the bridge itself, takes part in.
///
/// Kernel name: `struct bridge_vlan_info`.
public struct BridgeVLAN: Hashable, Sendable {
  /// The numbers, within 1 to 4094.
  public var numbers: ClosedRange<UInt16>
  /// Frames that come in without a tag belong to it; only for a single number.
  ///
  /// Kernel name: `BRIDGE_VLAN_INFO_PVID`.
  public var isPrimary: Bool
  /// Frames leave without a tag. `BRIDGE_VLAN_INFO_UNTAGGED`
  public var isUntagged: Bool

  /// Describes a run of VLANs with the same flags.
  public init(_ numbers: ClosedRange<UInt16>, isPrimary: Bool = false, isUntagged: Bool = false) {
    self.numbers = numbers
    self.isPrimary = isPrimary
    self.isUntagged = isUntagged
  }

  /// Describes one VLAN.
  public init(_ number: UInt16, isPrimary: Bool = false, isUntagged: Bool = false) {
    self.init(number...number, isPrimary: isPrimary, isUntagged: isUntagged)
  }
}
