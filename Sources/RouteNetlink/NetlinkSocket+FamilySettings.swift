public import Addressing
internal import Linux
public import Netlink

extension Message {
  /// Reads what a family is told for all links together.
  ///
  /// Refused with `EOPNOTSUPP` where the kernel lacks the family.
  ///
  /// Kernel name: `RTM_GETNETCONF` with `NETCONFA_IFINDEX_ALL`.
  static func familySettings(_ family: IPFamily) -> Message {
    Message(
      RequestType.getFamilySettings, answer: .reply, operation: "read the settings of \(family)"
    ) { writer in
      writer.fixed(family.number)
      writer.align()
      writer.int32(FamilySettingAttribute.linkIndex, FamilySettingAttribute.allLinks)
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Whether packets of a family that are not for this host are passed on.
  ///
  /// It waits for no lock, and costs the same however many namespaces the host has, unlike the same
  /// question through `/proc/sys`.
  ///
  /// Kernel name: `NETCONFA_FORWARDING`; `net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`.
  ///
  /// - Throws: ``NetlinkError``; `isUnsupported` if the kernel lacks the family.
  public borrowing func isForwarding(_ family: IPFamily) throws(NetlinkError) -> Bool {
    let request = Message.familySettings(family)
    let reply = try reply(to: request)
    guard reply.header.type == RequestType.newFamilySettings,
      let value = reply.attributes(after: 4)[FamilySettingAttribute.forwarding]?.int32
    else {
      throw NetlinkError(operation: request.operation, errno: .badMessage, cause: .malformed)
    }
    return value != 0
  }
}

extension IPFamily {
  /// The setting that lets a host pass on packets that are not for itself, as `Sysctl` names it.
  ///
  /// Kernel names: `net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`.
  public var forwardingSetting: [String] {
    switch self {
    case .v4: ["net", "ipv4", "ip_forward"]
    case .v6: ["net", "ipv6", "conf", "all", "forwarding"]
    }
  }
}
