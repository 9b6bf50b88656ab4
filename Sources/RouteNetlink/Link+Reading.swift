internal import Addressing
public import Netlink

extension Link {
  /// Reads a link from a reply or an event; nil if it is neither, or a link whose name this house
  /// would not accept, so that it cannot be ours.
  public init?(_ message: Message) {
    guard
      message.header.type == RequestType.newLink || message.header.type == RequestType.deleteLink,
      let index: UInt32 = message.fixed(at: 4), let flags: UInt32 = message.fixed(at: 8)
    else { return nil }
    var name: InterfaceName?
    var link = LinkDraft()
    for attribute in message.attributes(after: LinkHeader.byteCount) {
      if attribute.type == LinkAttribute.name {
        do throws(AddressParseError) {
          name = try InterfaceName(attribute.text)
        } catch {
          return nil
        }
      } else {
        link.read(attribute)
      }
    }
    guard let name else { return nil }
    self.init(
      index: index, name: name, kind: link.kind, flags: LinkFlags(rawValue: flags), mtu: link.mtu,
      hardwareAddress: link.hardwareAddress, queueLength: link.queueLength,
      masterIndex: link.masterIndex,
      peerIndex: link.peerIndex, peerNamespaceID: link.peerNamespaceID, alias: link.alias,
      group: link.group, operationalState: link.operationalState, bridge: link.bridge,
      bridgePort: link.bridgePort,
      settings: link.settings, hearsRouters: link.hearsRouters)
  }
}

/// What has been read of a link so far.
private struct LinkDraft {
  var kind: String?
  var mtu = 0
  var hardwareAddress: HardwareAddress?
  var queueLength: UInt32?
  var masterIndex: UInt32?
  var peerIndex: UInt32?
  var peerNamespaceID: Int32?
  var alias: String?
  var group: UInt32 = 0
  var operationalState = OperationalState.unknown
  var bridge: BridgeSettings?
  var bridgePort: BridgePortSettings?
  var settings: LinkKind?
  var hearsRouters: Bool?

  mutating func read(_ attribute: Attribute) {
    switch attribute.type {
    case LinkAttribute.mtu:
      mtu = attribute.uint32.map(Int.init) ?? 0
    case LinkAttribute.hardwareAddress:
      hardwareAddress = HardwareAddress(bytes: attribute.bytes)
    case LinkAttribute.queueLength:
      queueLength = attribute.uint32
    case LinkAttribute.master:
      masterIndex = attribute.uint32
    case LinkAttribute.lower:
      // A veth without another end says 0.
      peerIndex = attribute.uint32.flatMap { $0 == 0 ? nil : $0 }
    case LinkAttribute.lowerNamespace:
      peerNamespaceID = attribute.int32
    case LinkAttribute.alias:
      alias = attribute.text
    case LinkAttribute.group:
      group = attribute.uint32 ?? 0
    case LinkAttribute.operationalState:
      operationalState = attribute.uint8.flatMap(OperationalState.init) ?? .unknown
    case LinkAttribute.information:
      readInformation(attribute.attributes)
    case LinkAttribute.familySpecific:
      let settings = attribute.attributes[FamilyAttribute.v6]?.attributes[FamilyAttribute.settings6]
      let place = FamilyAttribute.routerAdvertisements6 * MemoryLayout<Int32>.size
      let mode: Int32? = settings?.integer(at: place)
      hearsRouters = mode.map { $0 != 0 }
    default:
      break
    }
  }

  private mutating func readInformation(_ information: AttributeReader) {
    kind = information[InformationAttribute.kind]?.text
    settings = LinkKind(
      named: kind, reading: information[InformationAttribute.data]?.attributes)
    if kind == BridgeSettings.kindName {
      bridge = BridgeSettings(reading: information[InformationAttribute.data]?.attributes)
    }
    if information[InformationAttribute.portKind]?.text == BridgeSettings.kindName {
      bridgePort = BridgePortSettings(
        reading: information[InformationAttribute.portData]?.attributes)
    }
  }
}
