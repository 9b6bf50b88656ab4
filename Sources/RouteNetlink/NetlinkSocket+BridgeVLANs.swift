public import Netlink

extension Message {
  /// Lets a bridge's port, or the bridge itself, take part in VLANs.
  ///
  /// Refused with `EOPNOTSUPP` if the kernel has no VLAN filtering.
  ///
  /// - Parameters:
  ///   - vlans: at most one of them primary.
  ///   - linkIndex: the port, or the bridge.
  ///   - isBridge: the link is the bridge itself.
  /// - Returns: the request.
  ///
  /// Kernel name: `RTM_SETLINK` of `AF_BRIDGE`.
  public static func addVLANs(_ vlans: [BridgeVLAN], to linkIndex: UInt32, isBridge: Bool = false)
    -> Message
  {
    vlanMessage(RequestType.setLink, "add VLANs to", vlans, linkIndex, isBridge)
  }

  /// Takes a bridge's port, or the bridge itself, out of VLANs; those it is not in do not matter.
  ///
  /// Kernel name: `RTM_DELLINK` of `AF_BRIDGE`.
  public static func deleteVLANs(
    _ vlans: [BridgeVLAN], from linkIndex: UInt32, isBridge: Bool = false
  ) -> Message {
    vlanMessage(RequestType.deleteLink, "delete VLANs from", vlans, linkIndex, isBridge)
  }

  /// Lists the VLANs of one port or bridge; the kernel reads no other link.
  ///
  /// Kernel name: `RTM_GETVLAN`, since Linux 5.6.
  public static func vlans(of linkIndex: UInt32) -> Message {
    Message(
      RequestType.getVLAN, answer: .listing, operation: "list VLANs of link #\(linkIndex)"
    ) { writer in
      writer.fixed(FamilyNumber.bridge)
      writer.fixed(UInt8(0))
      writer.fixed(UInt16(0))
      writer.fixed(linkIndex)
    }
  }

  private static func vlanMessage(
    _ type: UInt16, _ verb: String, _ vlans: [BridgeVLAN], _ linkIndex: UInt32, _ isBridge: Bool
  ) -> Message {
    Message(type, operation: "\(verb) link #\(linkIndex)") { writer in
      LinkHeader(family: FamilyNumber.bridge, index: linkIndex).write(to: &writer)
      writer.nest(LinkAttribute.familySpecific) { specific in
        if isBridge { specific.uint16(VLANNumber.flags, VLANNumber.onBridgeItself) }
        for vlan in vlans {
          vlan.write(to: &specific)
        }
      }
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Lets a bridge's port take part in VLANs.
  ///
  /// - Throws: ``NetlinkError``; `isUnsupported` if the kernel has no VLAN filtering.
  public borrowing func addVLANs(_ vlans: [BridgeVLAN], to linkIndex: UInt32)
    throws(NetlinkError)
  {
    try exchange(.addVLANs(vlans, to: linkIndex))
  }

  /// Takes a bridge's port out of VLANs; those it is not in do not matter.
  ///
  /// - Throws: ``NetlinkError``; `isUnsupported` if the kernel has no VLAN filtering.
  public borrowing func deleteVLANs(_ vlans: [BridgeVLAN], from linkIndex: UInt32)
    throws(NetlinkError)
  {
    try exchange(.deleteVLANs(vlans, from: linkIndex))
  }

  /// Lists the VLANs of one port or bridge.
  ///
  /// - Throws: ``NetlinkError``; `isUnsupported` if the kernel has no VLAN filtering.
  public borrowing func vlans(of linkIndex: UInt32) throws(NetlinkError) -> [BridgeVLAN] {
    try exchange(.vlans(of: linkIndex))
      .filter { $0.header.type == RequestType.newVLAN && $0.fixed(at: 4) == linkIndex }
      .flatMap { message in
        message.attributes(after: 8).filter { $0.type == VLANNumber.entry }
          .compactMap { BridgeVLAN(reading: $0.attributes) }
      }
  }
}

extension BridgeVLAN {
  fileprivate var flags: UInt16 {
    (isPrimary ? VLANNumber.primary : 0) | (isUntagged ? VLANNumber.untagged : 0)
  }

  /// Writes one entry, or two that mark a run's ends.
  fileprivate func write(to writer: inout AttributeWriter) {
    if numbers.count == 1 {
      writer.vlan(numbers.lowerBound, flags)
    } else {
      writer.vlan(numbers.lowerBound, flags | VLANNumber.rangeBegin)
      writer.vlan(numbers.upperBound, flags | VLANNumber.rangeEnd)
    }
  }

  fileprivate init?(reading entry: AttributeReader) {
    guard let information = entry[VLANNumber.entryInformation],
      let flags: UInt16 = information.integer(at: 0), let first: UInt16 = information.integer(at: 2)
    else { return nil }
    let last = entry[VLANNumber.entryRange]?.uint16 ?? first
    guard first <= last else { return nil }
    self.init(
      first...last, isPrimary: flags & VLANNumber.primary != 0,
      isUntagged: flags & VLANNumber.untagged != 0)
  }
}

extension AttributeWriter {
  /// Writes a `struct bridge_vlan_info`: flags and number.
  fileprivate mutating func vlan(_ number: UInt16, _ flags: UInt16) {
    nest(VLANNumber.information, marked: false) { information in
      information.fixed(flags)
      information.fixed(number)
    }
  }
}
