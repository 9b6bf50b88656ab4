public import Addressing
public import Netlink

extension Message {
  /// Gives a link an address.
  ///
  /// Refused with `EEXIST` if the link has it, unless it is to be replaced.
  ///
  /// - Parameters:
  ///   - entry: the address and its link.
  ///   - replacing: changes the flags of an address that is there.
  /// - Returns: the request.
  ///
  /// Kernel name: `RTM_NEWADDR`.
  public static func addAddress(_ entry: AddressEntry, replacing: Bool = false) -> Message {
    Message(
      RequestType.newAddress, flags: replacing ? [.create, .replace] : [.create, .exclusive],
      operation: "add address \(entry.address) to link #\(entry.linkIndex)"
    ) { writer in
      entry.write(to: &writer)
      if let broadcast = entry.broadcast {
        writer.bytes(AddressAttribute.broadcast, broadcast.bytes)
      }
      if !entry.flags.isEmpty {
        writer.uint32(AddressAttribute.flags, entry.flags.rawValue)
      }
      if entry.origin != .unspecified {
        writer.uint8(AddressAttribute.origin, entry.origin.rawValue)
      }
      if entry.flags.contains(.deprecated) {
        // Preferred for 0 seconds, valid for ever, and when it was made, which is not asked.
        writer.bytes(
          AddressAttribute.lifetimes,
          [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 8))
      }
    }
  }

  /// Takes an address from a link.
  ///
  /// Refused with `EADDRNOTAVAIL` if the link does not have it.
  ///
  /// Kernel name: `RTM_DELADDR`.
  public static func deleteAddress(_ entry: AddressEntry) -> Message {
    Message(
      RequestType.deleteAddress,
      operation: "delete address \(entry.address) from link #\(entry.linkIndex)"
    ) { writer in
      entry.write(to: &writer)
    }
  }

  /// Lists addresses.
  ///
  /// - Parameters:
  ///   - linkIndex: of this link; of all if nil.
  ///   - family: of this family; of both if nil.
  /// - Returns: the request.
  public static func addresses(ofLink linkIndex: UInt32?, family: IPFamily? = nil) -> Message {
    Message(
      RequestType.getAddress, answer: .listing,
      operation: "list addresses" + (linkIndex.map { " of link #\($0)" } ?? "")
    ) { writer in
      AddressHeader(family: family?.number ?? FamilyNumber.any, linkIndex: linkIndex ?? 0)
        .write(to: &writer)
    }
  }
}

extension AddressEntry {
  /// Writes what tells the address from others.
  fileprivate func write(to writer: inout AttributeWriter) {
    AddressHeader(
      family: address.family.number, prefixLength: UInt8(address.prefix.length), scope: scope,
      linkIndex: linkIndex
    ).write(to: &writer)
    writer.bytes(AddressAttribute.local, address.address.bytes)
    writer.bytes(AddressAttribute.address, (peer ?? address.address).bytes)
  }
}
