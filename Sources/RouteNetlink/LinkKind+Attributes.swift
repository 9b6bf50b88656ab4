internal import Addressing
internal import Netlink

extension LinkKind {
  /// The kernel's name for the kind, which is also that of its module. `IFLA_INFO_KIND`
  public var name: String {
    switch self {
    case .veth: "veth"
    case .bridge: BridgeSettings.kindName
    case .intermediateQueue: Self.intermediateQueueName
    case .dummy: "dummy"
    case .macvlan: MACVLANSettings.kindName
    case .ipvlan: IPVLANSettings.kindName
    case .vlan: Self.vlanName
    case .vrf: Self.vrfName
    case .vxlan: VXLANSettings.kindName
    }
  }

  private static var vlanName: String { "vlan" }
  private static var vrfName: String { "vrf" }

  /// Reads kind and settings; nil for the kinds of which they are not asked, and without a setting
  /// that makes sense.
  init?(named kind: String?, reading data: AttributeReader?) {
    switch kind {
    case MACVLANSettings.kindName:
      guard let settings = MACVLANSettings(reading: data) else { return nil }
      self = .macvlan(settings)
    case IPVLANSettings.kindName:
      guard let settings = IPVLANSettings(reading: data) else { return nil }
      self = .ipvlan(settings)
    case Self.vlanName:
      guard let number = data?[StackedAttribute.vlan]?.uint16 else { return nil }
      self = .vlan(number)
    case Self.vrfName:
      guard let table = data?[StackedAttribute.vrfTable]?.uint32 else { return nil }
      self = .vrf(RouteTable(rawValue: table))
    case VXLANSettings.kindName:
      guard let settings = VXLANSettings(reading: data) else { return nil }
      self = .vxlan(settings)
    default: return nil
    }
  }

  /// The kernel's name for an intermediate queue.
  public static let intermediateQueueName = "ifb"

  /// Writes kind and settings as `IFLA_LINKINFO`, after what the kind needs beside it.
  func write(to writer: inout AttributeWriter) {
    if case .veth(let peer) = self { peer.writeQueues(to: &writer) }
    writer.nest(LinkAttribute.information) { information in
      information.text(InformationAttribute.kind, name)
      information.nest(InformationAttribute.data) { data in
        switch self {
        case .veth(let peer): peer.write(to: &data)
        case .bridge(let settings): settings.write(to: &data)
        case .intermediateQueue: break
        case .dummy: break
        case .macvlan(let settings): settings.write(to: &data)
        case .ipvlan(let settings): settings.write(to: &data)
        case .vlan(let number): data.uint16(StackedAttribute.vlan, number)
        case .vxlan(let settings): settings.write(to: &data)
        case .vrf(let table): data.uint32(StackedAttribute.vrfTable, table.rawValue)
        }
      }
    }
  }
}

extension LinkChange {
  /// Writes what only a bridge, or only the port of one, has as `IFLA_LINKINFO`.
  func writeInformation(to writer: inout AttributeWriter) {
    guard bridge != nil || bridgePort != nil else { return }
    writer.nest(LinkAttribute.information) { information in
      if let bridge {
        information.text(InformationAttribute.kind, BridgeSettings.kindName)
        information.nest(InformationAttribute.data) { bridge.write(to: &$0) }
      }
      if let bridgePort {
        information.text(InformationAttribute.portKind, BridgeSettings.kindName)
        information.nest(InformationAttribute.portData) { bridgePort.write(to: &$0) }
      }
    }
  }
}

extension LinkChange {
  /// Writes what IPv4 and IPv6 keep of a link as `IFLA_AF_SPEC`.
  func writeFamilySettings(to writer: inout AttributeWriter) {
    guard announcesAddresses != nil || hasLinkLocalAddress != nil else { return }
    writer.nest(LinkAttribute.familySpecific) { families in
      if let announcesAddresses {
        families.nest(FamilyAttribute.v4) { family in
          family.nest(FamilyAttribute.settings4) { settings in
            settings.uint32(FamilyAttribute.announces4, announcesAddresses ? 1 : 0)
          }
        }
      }
      if let hasLinkLocalAddress {
        families.nest(FamilyAttribute.v6) { family in
          // IN6_ADDR_GEN_MODE_NONE is 1, the kernel's usual way 0.
          family.uint8(FamilyAttribute.ownAddress6, hasLinkLocalAddress ? 0 : 1)
        }
      }
    }
  }
}

extension VethPeer {
  /// Writes the peer as a message within the message: its own header, then its attributes.
  func write(to writer: inout AttributeWriter) {
    writer.nest(InformationAttribute.vethPeer) { peer in
      LinkHeader().write(to: &peer)
      peer.text(LinkAttribute.name, name.text)
      if let mtu { peer.uint32(LinkAttribute.mtu, UInt32(mtu.bytes)) }
      if let hardwareAddress {
        peer.bytes(LinkAttribute.hardwareAddress, hardwareAddress.bytes)
      }
      writeQueues(to: &peer)
      if let namespaceDescriptor {
        peer.int32(LinkAttribute.namespaceDescriptor, namespaceDescriptor)
      }
    }
  }

  /// Writes the number of queues, which each end is told on its own.
  fileprivate func writeQueues(to writer: inout AttributeWriter) {
    guard let queueCount else { return }
    writer.uint32(LinkAttribute.sendQueues, queueCount)
    writer.uint32(LinkAttribute.receiveQueues, queueCount)
  }
}

extension BridgeSettings {
  /// The kernel's name for a bridge, and for what its ports are ports of.
  static let kindName = "bridge"

  func write(to writer: inout AttributeWriter) {
    if let filtersVLANs {
      writer.uint8(BridgeAttribute.vlanFiltering, filtersVLANs ? 1 : 0)
    }
    if let defaultVLAN {
      writer.uint16(BridgeAttribute.defaultVLAN, defaultVLAN)
    }
    if let spansTree { writer.uint32(BridgeAttribute.spanningTree, spansTree ? 1 : 0) }
  }

  init(reading attributes: AttributeReader?) {
    self.init(
      filtersVLANs: attributes?[BridgeAttribute.vlanFiltering]?.uint8.map { $0 != 0 },
      defaultVLAN: attributes?[BridgeAttribute.defaultVLAN]?.uint16,
      spansTree: attributes?[BridgeAttribute.spanningTree]?.uint32.map { $0 != 0 })
  }
}

extension BridgePortSettings {
  func write(to writer: inout AttributeWriter) {
    if let isHairpin { writer.uint8(PortAttribute.hairpin, isHairpin ? 1 : 0) }
    if let isIsolated { writer.uint8(PortAttribute.isolated, isIsolated ? 1 : 0) }
    if let learns { writer.uint8(PortAttribute.learning, learns ? 1 : 0) }
  }

  init(reading attributes: AttributeReader?) {
    self.init(
      isHairpin: attributes?[PortAttribute.hairpin]?.uint8.map { $0 != 0 },
      isIsolated: attributes?[PortAttribute.isolated]?.uint8.map { $0 != 0 },
      learns: attributes?[PortAttribute.learning]?.uint8.map { $0 != 0 })
  }
}
