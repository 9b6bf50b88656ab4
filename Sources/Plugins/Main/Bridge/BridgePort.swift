import CNI
import Netlink
import Plumbing
import RouteNetlink

/// What the bridge's VLANs mean for one of its ports.
enum BridgePort {
  /// Puts a port into its VLANs.
  ///
  /// - Throws: `ProtocolError` when the kernel refuses.
  static func join(
    _ vlans: VLANSettings, _ port: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard vlans.needsFiltering else { return }
    do throws(NetlinkError) {
      if vlans.leavesDefault {
        // A port's only VLAN of its own is the bridge's default one, whatever its number.
        let present = try worlds.host.vlans(of: port.index)
        if !present.isEmpty { try worlds.host.deleteVLANs(present, from: port.index) }
      }
      let wanted = memberships(vlans)
      if !wanted.isEmpty { try worlds.host.addVLANs(wanted, to: port.index) }
    } catch {
      throw ProtocolError(error, "failed to set VLANs of \"\(port.name)\"")
    }
  }

  /// The VLANs that a port is to be in.
  static func memberships(_ vlans: VLANSettings) -> [BridgeVLAN] {
    var memberships: [BridgeVLAN] = []
    if let access = vlans.access {
      memberships.append(BridgeVLAN(access, isPrimary: true, isUntagged: true))
    } else if !(vlans.trunk ?? []).isEmpty {
      // Frames without a tag stay possible, in the VLAN that is everybody's.
      memberships.append(BridgeVLAN(1, isPrimary: true, isUntagged: true))
    }
    let untagged = memberships.map(\.numbers.lowerBound)
    return memberships
      + runs(of: (vlans.trunk ?? []).filter { !untagged.contains($0) }).map { BridgeVLAN($0) }
  }

  /// The VLANs that a port is not in yet and that pods use, with tags.
  static func missing(_ vlans: VLANSettings, among present: [BridgeVLAN]) -> [BridgeVLAN] {
    let wanted = Set(vlans.trunk ?? []).union(vlans.access.map { [$0] } ?? [])
    return runs(
      of: wanted.filter { number in !present.contains { $0.numbers.contains(number) } }.sorted()
    ).map { BridgeVLAN($0) }
  }

  /// Ascending numbers as runs without gaps.
  private static func runs(of numbers: [UInt16]) -> [ClosedRange<UInt16>] {
    var runs: [ClosedRange<UInt16>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs
  }
}
