public import Addressing
public import Netlink

/// Behind which host a tunnel finds a hardware address.
///
/// Kernel name: an entry of a forwarding database, `struct ndmsg` of family `AF_BRIDGE`.
public struct ForwardingEntry: Hashable, Sendable {
  /// The address that frames are for; zero means all that are for nobody known.
  public var hardwareAddress: HardwareAddress
  /// The tunnel.
  public var linkIndex: UInt32
  /// The host that they are sent to. `NDA_DST`
  public var remote: IPAddress
  /// How long it stays.
  public var state: NeighbourState

  /// Describes an entry, which stays if nothing else is said.
  public init(
    _ hardwareAddress: HardwareAddress, onLink linkIndex: UInt32, to remote: IPAddress,
    state: NeighbourState = .permanent
  ) {
    self.hardwareAddress = hardwareAddress
    self.linkIndex = linkIndex
    self.remote = remote
    self.state = state
  }

  /// Reads an entry from a reply or an event; nil if it is neither, or leads to no other host.
  public init?(_ message: Message) {
    guard
      message.header.type == RequestType.newNeighbour
        || message.header.type == RequestType.deleteNeighbour,
      message.fixed(at: 0) == FamilyNumber.bridge,
      let linkIndex: UInt32 = message.fixed(at: 4), let state: UInt16 = message.fixed(at: 8)
    else { return nil }
    let attributes = message.attributes(after: NeighbourHeader.byteCount)
    guard
      let address = attributes[NeighbourAttribute.hardwareAddress].flatMap({
        HardwareAddress(bytes: $0.bytes)
      }),
      let remote = attributes[NeighbourAttribute.address].flatMap({ IPAddress(bytes: $0.bytes) })
    else { return nil }
    self.init(
      address, onLink: linkIndex, to: remote, state: NeighbourState(rawValue: state))
  }
}

extension Message {
  /// Sets where a tunnel finds a hardware address, whether that was known or not.
  ///
  /// Kernel name: `RTM_NEWNEIGH` with `NTF_SELF`.
  public static func replaceForwarding(_ entry: ForwardingEntry) -> Message {
    Message(
      RequestType.newNeighbour, flags: [.create, .replace],
      operation: "set forwarding of \(entry.hardwareAddress) on link #\(entry.linkIndex)"
    ) { entry.write(to: &$0) }
  }

  /// Forgets where a tunnel finds a hardware address.
  ///
  /// Refused with `ENOENT` if there is no such entry.
  ///
  /// Kernel name: `RTM_DELNEIGH` with `NTF_SELF`.
  public static func deleteForwarding(_ entry: ForwardingEntry) -> Message {
    Message(
      RequestType.deleteNeighbour,
      operation: "delete forwarding of \(entry.hardwareAddress) from link #\(entry.linkIndex)"
    ) { entry.write(to: &$0) }
  }

  /// Lists what a link forwards, which is another list than the neighbours of IP.
  public static func forwardings(onLink linkIndex: UInt32) -> Message {
    Message(
      RequestType.getNeighbour, answer: .listing,
      operation: "list forwardings of link #\(linkIndex)"
    ) { writer in
      NeighbourHeader(family: FamilyNumber.bridge, linkIndex: linkIndex).write(to: &writer)
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Lists where a tunnel finds hardware addresses.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func forwardings(onLink linkIndex: UInt32) throws(NetlinkError)
    -> [ForwardingEntry]
  {
    try exchange(.forwardings(onLink: linkIndex)).compactMap { ForwardingEntry($0) }
      .filter { $0.linkIndex == linkIndex }
  }
}

extension ForwardingEntry {
  fileprivate func write(to writer: inout AttributeWriter) {
    NeighbourHeader(
      family: FamilyNumber.bridge, linkIndex: linkIndex, state: state,
      flags: NeighbourAttribute.ofTheLinkItself
    ).write(to: &writer)
    writer.bytes(NeighbourAttribute.hardwareAddress, hardwareAddress.bytes)
    writer.bytes(NeighbourAttribute.address, remote.bytes)
  }
}
