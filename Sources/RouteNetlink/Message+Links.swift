public import Addressing
public import Netlink

// Each verb as a value, so that several can go in one send.
extension Message {
  /// Makes a link.
  ///
  /// Refused with `EEXIST` if the name is taken here, or the peer's name where the peer is born.
  ///
  /// Kernel name: `RTM_NEWLINK` with `NLM_F_CREATE` and `NLM_F_EXCL`.
  public static func createLink(_ link: NewLink) -> Message {
    Message(
      RequestType.newLink, flags: [.create, .exclusive],
      operation: "create \(link.kind.name) link \(link.name)"
    ) { writer in
      LinkHeader(flags: link.flags, changed: link.flags).write(to: &writer)
      writer.text(LinkAttribute.name, link.name.text)
      if let mtu = link.mtu { writer.uint32(LinkAttribute.mtu, UInt32(mtu.bytes)) }
      if let address = link.hardwareAddress {
        writer.bytes(LinkAttribute.hardwareAddress, address.bytes)
      }
      if let master = link.master { writer.uint32(LinkAttribute.master, master) }
      if let group = link.group { writer.uint32(LinkAttribute.group, group) }
      if let lower = link.lower { writer.uint32(LinkAttribute.lower, lower) }
      if let namespace = link.namespaceDescriptor {
        writer.int32(LinkAttribute.namespaceDescriptor, namespace)
      }
      link.kind.write(to: &writer)
    }
  }

  /// Reads one link, without its statistics.
  ///
  /// Refused with `ENODEV` if there is none.
  ///
  /// Kernel name: `RTM_GETLINK`.
  public static func link(_ link: LinkReference) -> Message {
    Message(RequestType.getLink, answer: .reply, operation: "look up link \(link)") { writer in
      link.write(to: &writer, LinkHeader())
      writer.uint32(LinkAttribute.detail, LinkDetail.withoutStatistics)
    }
  }

  /// Changes a link.
  ///
  /// Refused with `ENODEV` if there is none.
  ///
  /// Kernel name: `RTM_NEWLINK` without `NLM_F_CREATE`, since `RTM_SETLINK` passes over what only
  /// one kind has.
  public static func changeLink(_ change: LinkChange) -> Message {
    Message(RequestType.newLink, operation: "change link \(change.link)") { writer in
      var header = LinkHeader()
      header.set(.up, change.isUp)
      header.set(.promiscuous, change.isPromiscuous)
      header.set(.allMulticast, change.takesAllMulticast)
      change.link.write(to: &writer, header)
      if let name = change.name { writer.text(LinkAttribute.name, name.text) }
      if let mtu = change.mtu { writer.uint32(LinkAttribute.mtu, UInt32(mtu.bytes)) }
      if let address = change.hardwareAddress {
        writer.bytes(LinkAttribute.hardwareAddress, address.bytes)
      }
      if let length = change.queueLength { writer.uint32(LinkAttribute.queueLength, length) }
      if let master = change.master { writer.uint32(LinkAttribute.master, master) }
      if let group = change.group { writer.uint32(LinkAttribute.group, group) }
      if let alias = change.alias { writer.bytes(LinkAttribute.alias, alias.utf8) }
      if let namespace = change.namespaceDescriptor {
        writer.int32(LinkAttribute.namespaceDescriptor, namespace)
      }
      change.writeInformation(to: &writer)
      change.writeFamilySettings(to: &writer)
    }
  }

  /// Makes the kernel tell a link's neighbours who has its addresses now.
  ///
  /// The link is given the hardware address it has, which the kernel announces as it would a new one:
  /// by gratuitous ARP and by unsolicited neighbour advertisements, if the link's settings
  /// `arp_notify` and `ndisc_notify` say so. A packet socket could send the same frames, but the
  /// kernel closes one only after all processors have passed a quiet point, which takes longer than
  /// all the rest of an ADD.
  ///
  /// Kernel name: `IFLA_ADDRESS`, `NETDEV_CHANGEADDR`.
  public static func announceAddresses(
    of link: LinkReference, at hardwareAddress: HardwareAddress
  ) -> Message {
    var change = LinkChange(link)
    change.hardwareAddress = hardwareAddress
    return .changeLink(change)
  }

  /// Deletes a link; the other end of a pair goes with it.
  ///
  /// Refused with `ENODEV` if there is none.
  ///
  /// Kernel name: `RTM_DELLINK`.
  public static func deleteLink(_ link: LinkReference) -> Message {
    Message(RequestType.deleteLink, operation: "delete link \(link)") { writer in
      link.write(to: &writer, LinkHeader())
    }
  }

  /// Lists links, without their statistics.
  ///
  /// - Parameters:
  ///   - kind: only links of this kind, such as "veth".
  ///   - master: only ports of this bridge.
  /// - Returns: the request.
  public static func links(kind: String? = nil, master: UInt32? = nil) -> Message {
    Message(RequestType.getLink, answer: .listing, operation: "list links") { writer in
      LinkHeader().write(to: &writer)
      if let master { writer.uint32(LinkAttribute.master, master) }
      if let kind {
        writer.nest(LinkAttribute.information) { $0.text(InformationAttribute.kind, kind) }
      }
      writer.uint32(LinkAttribute.detail, LinkDetail.withoutStatistics)
    }
  }
}

extension LinkReference {
  /// Writes the header with the number, or followed by the name.
  func write(to writer: inout AttributeWriter, _ header: LinkHeader) {
    var header = header
    switch self {
    case .index(let index):
      header.index = index
      header.write(to: &writer)
    case .name(let name):
      header.write(to: &writer)
      writer.text(LinkAttribute.name, name.text)
    }
  }
}

extension LinkHeader {
  /// Says that a flag is to be on or off; nil says nothing.
  mutating func set(_ flag: LinkFlags, _ isOn: Bool?) {
    guard let isOn else { return }
    changed.insert(flag)
    if isOn { flags.insert(flag) }
  }
}
