public import Addressing
public import Linux
public import Netlink

extension NetlinkSocket where Family == RouteFamily {
  /// Makes a link with all its settings in one message.
  ///
  /// - Throws: ``NetlinkError``; `isAlreadyThere` if the name is taken, which calls for a look.
  public borrowing func createLink(_ link: NewLink) throws(NetlinkError) {
    try exchange(.createLink(link))
  }

  /// Makes a link and reads it back, in one send.
  ///
  /// Gives what the kernel chose: index, hardware address, the peer's index.
  ///
  /// - Throws: ``NetlinkError`` as ``createLink(_:)`` does.
  public borrowing func createLinkAndRead(_ link: NewLink) throws(NetlinkError) -> Link {
    let replies = try batchAll([.createLink(link), .link(.name(link.name))])
    return try Link(onlyIn: replies.last ?? [], of: .name(link.name))
  }

  /// Reads one link.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func link(_ reference: LinkReference) throws(NetlinkError) -> Link {
    try Link(onlyIn: try exchange(.link(reference)), of: reference)
  }

  /// Reads one link by name.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func link(named name: InterfaceName) throws(NetlinkError) -> Link {
    try link(.name(name))
  }

  /// Reads one link by number.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func link(index: UInt32) throws(NetlinkError) -> Link {
    try link(.index(index))
  }

  /// Reads one link, or nothing if the kernel knows that there is none.
  ///
  /// - Throws: ``NetlinkError`` for everything but `ENODEV`.
  public borrowing func findLink(_ reference: LinkReference) throws(NetlinkError) -> Link? {
    do {
      return try link(reference)
    } catch {
      guard error.cause == .refused, error.errno == .noDevice else { throw error }
      return nil
    }
  }

  /// Reads one link by name, or nothing if the kernel knows that there is none.
  ///
  /// - Throws: ``NetlinkError`` for everything but `ENODEV`.
  public borrowing func findLink(named name: InterfaceName) throws(NetlinkError) -> Link? {
    try findLink(.name(name))
  }

  /// Finds the number of a link, or nothing if there is none.
  ///
  /// The cheapest question there is: it waits for no lock, where reading a link waits for all who
  /// make or delete links at that moment.
  ///
  /// - Throws: ``NetlinkError`` if the socket fails.
  public borrowing func findIndex(named name: InterfaceName) throws(NetlinkError) -> UInt32? {
    guard let socket = descriptorNumber() else { return try findLink(named: name)?.index }
    do throws(SystemError) {
      return try InterfaceIndex.find(name.text, through: socket)
    } catch {
      throw NetlinkError(
        operation: "look up link \(name)", errno: error.errno,
        cause: .socket(call: error.operation))
    }
  }

  /// Lists links.
  ///
  /// Not for the path of an ADD or DEL: it grows with the number of pods. Links with names that this
  /// house would not accept are left out, since they cannot be ours.
  ///
  /// - Parameters:
  ///   - kind: only links of this kind, such as "veth".
  ///   - master: only ports of this bridge.
  /// - Returns: the links, in the kernel's order.
  /// - Throws: ``NetlinkError``.
  public borrowing func links(kind: String? = nil, master: UInt32? = nil) throws(NetlinkError)
    -> [Link]
  {
    try exchange(.links(kind: kind, master: master)).compactMap { Link($0) }
      .filter { (kind == nil || $0.kind == kind) && (master == nil || $0.masterIndex == master) }
  }

  /// Changes a link.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func changeLink(_ change: LinkChange) throws(NetlinkError) {
    try exchange(.changeLink(change))
  }

  /// Changes a link and reads it back, in one send.
  ///
  /// Not for a change of name, unless the link is referred to by number.
  ///
  /// - Throws: ``NetlinkError`` as ``createLink(_:)`` does.
  public borrowing func changeLinkAndRead(_ change: LinkChange) throws(NetlinkError) -> Link {
    let replies = try batchAll([.changeLink(change), .link(change.link)])
    return try Link(onlyIn: replies.last ?? [], of: change.link)
  }

  /// Switches a link on or off.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func setLink(_ link: LinkReference, up isUp: Bool) throws(NetlinkError) {
    var change = LinkChange(link)
    change.isUp = isUp
    try changeLink(change)
  }

  /// Deletes a link; the other end of a pair goes with it.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func deleteLink(_ link: LinkReference) throws(NetlinkError) {
    try exchange(.deleteLink(link))
  }

  /// Deletes a link, and returns as soon as it is gone; the other end of a pair goes with it.
  ///
  /// When the kernel tells that a link is deleted, it is in no table any more, nothing passes it, and
  /// its name is free. What keeps ``deleteLink(_:)`` waiting for another 20 ms is that all processors
  /// must have looked away (`netdev_run_todo`, `rcu_barrier`) before the memory is given back.
  ///
  /// - Parameter index: the link's number; names may pass from one link to another.
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func deleteLinkInBackground(_ index: UInt32) throws(NetlinkError) {
    try exchangeInBackground(.deleteLink(.index(index)), hearing: EventGroup.links) {
      (event) throws(NetlinkError) in
      switch event {
      case .message(let message): message.tellsDeletion(ofLink: index)
      case .lost: try findLink(.index(index)) == nil
      }
    }
  }
}

extension Message {
  /// Whether this is the event that a link is gone.
  ///
  /// A bridge tells in the same words, but for the family, that a link is no port of it any more.
  package func tellsDeletion(ofLink index: UInt32) -> Bool {
    header.type == RequestType.deleteLink && fixed(at: 0) == UInt8(0) && fixed(at: 4) == index
  }
}

extension Link {
  /// The link that a reading of one link has brought.
  init(onlyIn replies: [Message], of reference: LinkReference) throws(NetlinkError) {
    guard let first = replies.first, let link = Link(first) else {
      throw NetlinkError(
        operation: "look up link \(reference)", errno: .badMessage, cause: .malformed)
    }
    self = link
  }
}

extension NetlinkSubscription where Family == RouteFamily {
  /// Starts to listen for changes of links in the thread's current namespace.
  ///
  /// - Throws: ``NetlinkError`` if the socket cannot be opened.
  public static func ofLinks() throws(NetlinkError) -> NetlinkSubscription<RouteFamily> {
    try NetlinkSubscription(groups: [EventGroup.links])
  }

  /// Waits until a link carries frames: its operational state (RFC 2863) is up.
  ///
  /// To be opened by ``ofLinks()`` in the link's namespace before.
  ///
  /// - Throws: ``NetlinkError``; its cause is `timedOut` when the deadline comes first.
  public borrowing func waitUntilUp(
    _ link: Link, askedBy socket: borrowing RouteSocket, until deadline: MonotonicTime
  ) throws(NetlinkError) {
    while try socket.link(index: link.index).operationalState != .up {
      try wait(for: "wait for link \(link.name)", until: deadline) { event in
        switch event {
        case .lost: ()
        case .message(let message): Link(message)?.index == link.index ? () : nil
        }
      }
    }
  }
}
