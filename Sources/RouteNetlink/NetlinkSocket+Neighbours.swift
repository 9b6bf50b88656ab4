public import Addressing
public import Netlink

extension Message {
  /// Sets a neighbour, whether there was one or not.
  ///
  /// Kernel name: `RTM_NEWNEIGH`.
  public static func replaceNeighbour(_ neighbour: NeighbourEntry) -> Message {
    Message(
      RequestType.newNeighbour, flags: [.create, .replace],
      operation: "set neighbour \(neighbour.address) on link #\(neighbour.linkIndex)"
    ) { writer in
      neighbour.write(to: &writer)
      if let hardwareAddress = neighbour.hardwareAddress {
        writer.bytes(NeighbourAttribute.hardwareAddress, hardwareAddress.bytes)
      }
      if let origin = neighbour.origin {
        writer.uint8(NeighbourAttribute.origin, origin.rawValue)
      }
    }
  }

  /// Forgets a neighbour, as is due when its address goes to another.
  ///
  /// Refused with `ENOENT` if there is none.
  ///
  /// Kernel name: `RTM_DELNEIGH`.
  public static func deleteNeighbour(_ address: IPAddress, onLink linkIndex: UInt32) -> Message {
    Message(
      RequestType.deleteNeighbour,
      operation: "delete neighbour \(address) from link #\(linkIndex)"
    ) { writer in
      NeighbourEntry(address, onLink: linkIndex, state: []).write(to: &writer)
    }
  }

  /// Lists the neighbours on one link.
  public static func neighbours(onLink linkIndex: UInt32, family: IPFamily) -> Message {
    Message(
      RequestType.getNeighbour, answer: .listing, operation: "list neighbours on link #\(linkIndex)"
    ) { writer in
      NeighbourHeader(family: family.number).write(to: &writer)
      writer.uint32(NeighbourAttribute.link, linkIndex)
    }
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Sets a neighbour, whether there was one or not.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func replaceNeighbour(_ neighbour: NeighbourEntry) throws(NetlinkError) {
    try exchange(.replaceNeighbour(neighbour))
  }

  /// Forgets a neighbour.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func deleteNeighbour(_ address: IPAddress, onLink linkIndex: UInt32)
    throws(NetlinkError)
  {
    try exchange(.deleteNeighbour(address, onLink: linkIndex))
  }

  /// Lists the neighbours on one link.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func neighbours(onLink linkIndex: UInt32, family: IPFamily) throws(NetlinkError)
    -> [NeighbourEntry]
  {
    try exchange(.neighbours(onLink: linkIndex, family: family)).compactMap { NeighbourEntry($0) }
      .filter { $0.linkIndex == linkIndex && $0.address.family == family }
  }
}

extension NeighbourEntry {
  /// Writes what tells the neighbour from others, and its state.
  fileprivate func write(to writer: inout AttributeWriter) {
    NeighbourHeader(family: address.family.number, linkIndex: linkIndex, state: state)
      .write(to: &writer)
    writer.bytes(NeighbourAttribute.address, address.bytes)
  }
}
