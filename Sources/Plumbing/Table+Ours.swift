public import Nftables

// All that we put into the packet filter stands in tables of our own, next to those of others.
// `nft delete table inet swift_cni` removes all of it.

extension Table {
  /// Our table for packets.
  public static let ours = Table(
    family: .inet, name: "swift_cni", comment: "pod networks; made and kept by swift-cni")

  /// Our table for frames on bridges.
  public static let oursOnBridges = Table(
    family: .bridge, name: "swift_cni", comment: "pod networks; made and kept by swift-cni")
}
