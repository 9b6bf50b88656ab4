import CLinux
import Glibc

/// A VLAN that a port, or the bridge itself, is a member of.
public struct SeenBridgeVLAN: Hashable, Sendable {
  /// The port or bridge.
  public let linkIndex: UInt32
  /// The identifier.
  public let id: UInt16
  /// Whether frames without a tag belong to it.
  public let isNative: Bool
  /// Whether frames leave without a tag.
  public let isUntagged: Bool
}

/// Every membership of every bridge in the calling thread's network namespace.
///
/// Empty, and not an error, where the kernel was built without VLAN filtering.
public func bridgeVLANs() throws(WitnessError) -> [SeenBridgeVLAN] {
  let question = "list bridge VLANs"
  let kernel = try Interrogation(protocol: NETLINK_ROUTE, for: question)
  var header = [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size)
  header[0] = UInt8(AF_BRIDGE)
  let filter = unsafe withUnsafeBytes(of: UInt32(RTEXT_FILTER_BRVLAN)) { unsafe Array($0) }
  let messages = try kernel.list(
    RTM_GETLINK, header: header, attributes: [(IFLA_EXT_MASK, filter)], for: question)
  return messages.flatMap { message in
    let linkIndex: UInt32 = message.number(at: 4) ?? 0
    let attributes = Attributes(message, from: header.count)
    return attributes.nest(IFLA_AF_SPEC).all.filter { $0.type == UInt16(IFLA_BRIDGE_VLAN_INFO) }
      .map { entry in
        let flags: UInt16 = entry.payload.number() ?? 0
        return SeenBridgeVLAN(
          linkIndex: linkIndex, id: entry.payload.number(at: 2) ?? 0,
          isNative: flags & UInt16(BRIDGE_VLAN_INFO_PVID) != 0,
          isUntagged: flags & UInt16(BRIDGE_VLAN_INFO_UNTAGGED) != 0)
      }
  }
}
