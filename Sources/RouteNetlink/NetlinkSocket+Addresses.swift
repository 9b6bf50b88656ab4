public import Addressing
public import Linux
public import Netlink

extension NetlinkSocket where Family == RouteFamily {
  /// Gives a link an address.
  ///
  /// - Parameters:
  ///   - entry: the address and its link.
  ///   - replacing: changes the flags of an address that is there.
  /// - Throws: ``NetlinkError``; `isAlreadyThere` if the link has it and it is not to be replaced.
  public borrowing func addAddress(_ entry: AddressEntry, replacing: Bool = false)
    throws(NetlinkError)
  {
    try exchange(.addAddress(entry, replacing: replacing))
  }

  /// Takes an address from a link.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if the link does not have it.
  public borrowing func deleteAddress(_ entry: AddressEntry) throws(NetlinkError) {
    try exchange(.deleteAddress(entry))
  }

  /// Lists the addresses of one link; the kernel reads no other.
  ///
  /// - Parameters:
  ///   - linkIndex: the link.
  ///   - family: of this family; of both if nil.
  /// - Returns: the addresses, in the kernel's order.
  /// - Throws: ``NetlinkError``; `isNotFound` if there is no such link.
  public borrowing func addresses(ofLink linkIndex: UInt32, family: IPFamily? = nil)
    throws(NetlinkError) -> [AddressEntry]
  {
    try exchange(.addresses(ofLink: linkIndex, family: family)).compactMap { AddressEntry($0) }
      .filter { $0.linkIndex == linkIndex && (family == nil || $0.address.family == family) }
  }

  /// Lists the addresses of all links.
  ///
  /// - Throws: ``NetlinkError``.
  public borrowing func addresses(family: IPFamily? = nil) throws(NetlinkError) -> [AddressEntry] {
    try exchange(.addresses(ofLink: nil, family: family)).compactMap { AddressEntry($0) }
      .filter { family == nil || $0.address.family == family }
  }
}

// MARK: - Duplicate detection

extension NetlinkSubscription where Family == RouteFamily {
  /// Starts to listen for changes of IPv6 addresses in the thread's current namespace.
  ///
  /// - Throws: ``NetlinkError`` if the socket cannot be opened.
  public static func ofIPv6Addresses() throws(NetlinkError) -> NetlinkSubscription<RouteFamily> {
    try NetlinkSubscription(groups: [EventGroup.ipv6Addresses])
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Waits until no IPv6 address of a link is tentative, without polling.
  ///
  /// - Parameters:
  ///   - linkIndex: the link, which must be up.
  ///   - ear: opened before the addresses were given, or at least before this call.
  ///   - deadline: when to give up.
  /// - Returns: the link's IPv6 addresses; one that somebody else has is marked `duplicate`.
  /// - Throws: ``NetlinkError`` with cause `timedOut` if an address is still tentative at the
  ///   deadline.
  public borrowing func settledAddresses(
    ofLink linkIndex: UInt32, heardBy ear: borrowing NetlinkSubscription<RouteFamily>,
    until deadline: MonotonicTime
  ) throws(NetlinkError) -> [AddressEntry] {
    while true {
      let entries = try addresses(ofLink: linkIndex, family: .v6)
      if !entries.contains(where: \.isUnsettled) { return entries }
      try ear.wait(for: "wait for addresses of link #\(linkIndex)", until: deadline) { event in
        switch event {
        case .lost: ()
        case .message(let message):
          AddressEntry(message)?.linkIndex == linkIndex ? () : nil
        }
      }
    }
  }
}

extension AddressEntry {
  /// Others are still being asked about it.
  ///
  /// An address that is taken stays tentative for ever.
  fileprivate var isUnsettled: Bool {
    flags.contains(.tentative) && !flags.contains(.duplicate)
      && !flags.contains(.optimistic)
  }
}
