public import Addressing
internal import Linux
public import Netlink

// What hangs on a link goes to another link of the same namespace, as it has to when the link becomes
// the port of a bridge: from then on it takes nothing in itself.

extension LinkEntries {
  /// Why an address or a route cannot be given to another link.
  public enum Obstacle: Hashable, Sendable {
    /// Somebody has to renew the address, who would go on doing so where it was.
    case renewed(InterfaceAddress)
    /// Others are still being asked about the address.
    case unsettled(InterfaceAddress)
    /// Somebody else has the address.
    case taken(InterfaceAddress)
    /// A router has told of the route, and is not listened to elsewhere.
    case learnt(Subnet)
    /// The route leaves by other links as well.
    case shared(Subnet)
    /// The route's gateway stands in an object of its own, which others may use. `RTA_NH_ID`
    case referring(Subnet)
  }

  /// The same without IPv6 addresses that the kernel has made for the link alone.
  ///
  /// Each link has its own. Kernels before 5.18 do not tell those from others for the link alone.
  public var movable: LinkEntries {
    let entries = addresses.compactMap { message in AddressEntry(message).map { (message, $0) } }
    let tellsOrigin = entries.contains { $0.1.origin == .kernelLinkLocal }
    let moving = entries.filter { _, entry in
      !(entry.address.family == .v6 && entry.address.address.isLinkLocal)
        || (tellsOrigin && entry.origin != .kernelLinkLocal)
    }
    var movable = self
    movable.addresses = moving.map(\.0)
    return movable
  }

  /// Whether nothing hangs on the link.
  public var isEmpty: Bool { addresses.isEmpty && routes.isEmpty && sharedRoutes.isEmpty }

  /// The addresses, and where routes lead: for messages.
  public var summary: [String] {
    addresses.compactMap { AddressEntry($0)?.address.description }
      + (routes.compactMap { RouteEntry($0)?.destination } + sharedRoutes.map(\.destination))
      .map { "route to \($0)" }
  }

  /// What cannot be given to another link.
  public var obstacles: [Obstacle] {
    addresses.compactMap { AddressEntry($0)?.obstacle } + routes.compactMap(\.routeObstacle)
      + sharedRoutes.map { .shared($0.destination) }
  }

  /// The same, for another link of the namespace.
  ///
  /// - Parameters:
  ///   - link: the one that has them.
  ///   - other: the one that is to have them.
  /// - Returns: what is to be given to it, and taken from it again.
  public func copies(from link: Link, for other: Link) -> LinkEntryCopies {
    LinkEntryCopies(
      link: other.index,
      addresses: addresses.compactMap { message in
        AddressEntry(message).map { entry in
          var entry = entry
          entry.linkIndex = other.index
          return (message.address(entry, from: link.name, to: other), .deleteAddress(entry))
        }
      },
      routes: routes.map {
        (
          $0.route(on: other.index, .beside, "give a route to \(other.name)"),
          $0.routeDeletion(on: other.index)
        )
      })
  }

  /// Takes all of it from its link.
  ///
  /// What is gone already is as good as taken.
  ///
  /// - Throws: ``NetlinkError`` of the first that is refused, after all have been tried.
  public func remove(_ socket: borrowing NetlinkSocket<RouteFamily>) throws(NetlinkError) {
    // Routes first and the first address last: with the last address of a family the kernel takes
    // the routes itself, and with an address others of its subnet.
    let requests =
      routes.reversed().map { $0.routeDeletion(on: linkIndex) }
      + addresses.reversed().compactMap { AddressEntry($0).map(Message.deleteAddress) }
    try socket.insist(on: requests, unless: \.isNotFound)
  }
}

/// Addresses and routes of one link, for another one.
public struct LinkEntryCopies: Sendable {
  let link: UInt32
  var addresses: [(addition: Message, deletion: Message)] = []
  var routes: [(addition: Message, deletion: Message)] = []

  /// Gives all of it to the link; what is there already stays as it is.
  ///
  /// IPv6 addresses are usable at once: this host has them.
  ///
  /// - Returns: what has been given.
  /// - Throws: ``NetlinkError`` of the first that is refused; nothing has been given then, or else the
  ///   error tells what could not be taken back.
  public func add(
    _ socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) -> LinkEntryCopies {
    var (refusal, given): (NetlinkError?, LinkEntryCopies) = (nil, LinkEntryCopies(link: link))
    let answers = try socket.batch((addresses + routes).map(\.addition))
    for (place, answer) in answers.enumerated() {
      do throws(NetlinkError) {
        _ = try answer.get()
        if place < addresses.count {
          given.addresses.append(addresses[place])
        } else {
          given.routes.append(routes[place - addresses.count])
        }
      } catch {
        if !error.isAlreadyThere, refusal == nil { refusal = error }
      }
    }
    guard let refusal else { return given }
    do {
      try given.remove(socket)
    } catch {
      throw NetlinkError(
        operation: refusal.operation, errno: refusal.errno, cause: refusal.cause,
        kernelMessage: "\(refusal.kernelMessage ?? "refused"); and then \(error)")
    }
    throw refusal
  }

  /// Takes all of it from the link again; what is gone already is as good as taken.
  ///
  /// - Throws: ``NetlinkError`` of the first that is refused, after all have been tried.
  public func remove(_ socket: borrowing NetlinkSocket<RouteFamily>) throws(NetlinkError) {
    try socket.insist(
      on: routes.reversed().map(\.deletion) + addresses.reversed().map(\.deletion),
      unless: \.isNotFound)
  }
}

extension AddressEntry {
  /// Why it cannot be given to another link.
  fileprivate var obstacle: LinkEntries.Obstacle? {
    if flags.contains(.duplicate), address.family == .v6 { return .taken(address) }
    if flags.contains(.tentative) { return .unsettled(address) }
    return !flags.contains(.permanent) || origin == .kernelRouter ? .renewed(address) : nil
  }
}

extension Message {
  /// Why the route that this one tells of cannot be given to another link.
  fileprivate var routeObstacle: LinkEntries.Obstacle? {
    guard let route = RouteEntry(self) else { return nil }
    if route.origin == .router { return .learnt(route.destination) }
    let isReferring = attributes(after: RouteHeader.byteCount)[RouteAttribute.gatewayObject] != nil
    return isReferring ? .referring(route.destination) : nil
  }

  /// Asks that another link be given the very address that this one has told of.
  fileprivate func address(_ entry: AddressEntry, from name: InterfaceName, to other: Link)
    -> Message
  {
    Message(
      RequestType.newAddress, flags: [.create, .exclusive],
      operation: "give address \(entry.address) to \(other.name)"
    ) { writer in
      AddressHeader(
        family: entry.address.family.number, prefixLength: UInt8(entry.address.prefix.length),
        scope: entry.scope, linkIndex: other.index
      ).write(to: &writer)
      for attribute in attributes(after: AddressHeader.byteCount) {
        switch attribute.type {
        case AddressAttribute.label:
          // Labels begin with their link's name, and one that is no more than that says nothing.
          let label = attribute.text.dropFirst(name.text.count)
          guard attribute.text.hasPrefix(name.text + ":") else { continue }
          writer.text(attribute.type, "\(other.name)\(label)")
        case AddressAttribute.flags: continue
        default: writer.bytes(attribute.type, attribute.bytes)
        }
      }
      let flags =
        entry.address.family == .v6 ? entry.flags.union(.withoutDuplicateDetection) : entry.flags
      writer.uint32(AddressAttribute.flags, flags.rawValue)
    }
  }
}
