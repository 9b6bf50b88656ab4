internal import Addressing
internal import Linux
public import Netlink

/// The addresses and routes that hang on a link, word for word as the kernel tells them.
///
/// They go as the link moves to another namespace, and what this library does not know of them, such
/// as life times or metrics, must be there again when it comes back.
public struct LinkEntries: Sendable {
  let linkIndex: UInt32
  var addresses: [Message]
  /// Those without a gateway first.
  let routes: [Message]
  /// Routes that leave by other links as well, which are in nobody's list.
  let sharedRoutes: [RouteEntry]

  /// Reads what hangs on a link, without what the kernel makes of it by itself.
  ///
  /// - Throws: ``NetlinkError``.
  public init(
    of link: Link, _ socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    linkIndex = link.index
    addresses = try socket.exchange(.addresses(ofLink: link.index)).filter { message in
      guard let entry = AddressEntry(message), entry.linkIndex == link.index else { return false }
      // To IPv4 the same bit says that another address of the subnet came first. IFA_F_SECONDARY
      return entry.address.family == .v4 || !entry.flags.contains(.temporary)
    }
    var found: [(message: Message, hasGateway: Bool)] = []
    var shared: [RouteEntry] = []
    for family in IPFamily.allCases {
      for message in try socket.exchange(
        .routes(family: family, table: nil, linkIndex: link.index))
      {
        guard let route = RouteEntry(message), !route.isCached, route.origin != .kernel else {
          continue
        }
        if route.linkIndex == link.index {
          found.append((message, route.gateway != nil))
        } else if message.hopLinks.contains(link.index) {
          shared.append(route)
        }
      }
    }
    // A gateway has to be reached by the routes before it.
    routes = (found.filter { !$0.hasGateway } + found.filter(\.hasGateway)).map(\.message)
    sharedRoutes = shared
  }

  /// Puts all of it back that the link does not have.
  ///
  /// - Parameters:
  ///   - link: the same link, where it came from.
  ///   - socket: to there.
  ///   - addition: what to do about a route that another link has in the place of one of these.
  /// - Throws: ``NetlinkError`` of the first that is refused, after all have been tried.
  public func restore(
    on link: Link, _ socket: borrowing NetlinkSocket<RouteFamily>,
    _ addition: RouteAddition = .unlessPresent
  ) throws(NetlinkError) {
    guard !addresses.isEmpty || !routes.isEmpty else { return }
    guard link.index == linkIndex else {
      throw NetlinkError(
        operation: "put addresses and routes back on \(link.name)", errno: .noDevice,
        kernelMessage: "it was link #\(linkIndex) and is #\(link.index) now")
    }
    let requests =
      addresses.map { message in
        Message(
          RequestType.newAddress, flags: [.create, .exclusive],
          operation: "put an address back on \(link.name)"
        ) { $0.fixed(bytes: message.payload) }
      }
      + routes.map { $0.route(on: linkIndex, addition, "put a route back on \(link.name)") }
    try socket.insist(on: requests, unless: \.isAlreadyThere)
  }
}

extension NetlinkSocket where Family == RouteFamily {
  /// Takes all requests in one send.
  ///
  /// - Throws: ``NetlinkError`` of the first that is refused for another reason than these, after all
  ///   have been tried.
  borrowing func insist(
    on requests: [Message], unless isFine: (NetlinkError) -> Bool
  ) throws(NetlinkError) {
    var failure: NetlinkError?
    for answer in try batch(requests) {
      do throws(NetlinkError) {
        _ = try answer.get()
      } catch {
        if !isFine(error), failure == nil { failure = error }
      }
    }
    if let failure { throw failure }
  }
}

extension Message {
  /// Asks for the very route that this one has told of, by some link.
  func route(on link: UInt32, _ addition: RouteAddition, _ operation: String) -> Message {
    Message(RequestType.newRoute, flags: addition.flags, operation: operation) {
      writeRoute(on: link, to: &$0)
    }
  }

  /// Asks that the very route be deleted that this one has told of, by some link.
  func routeDeletion(on link: UInt32) -> Message {
    Message(RequestType.deleteRoute, operation: "delete a route from link #\(link)") {
      writeRoute(on: link, to: &$0)
    }
  }

  /// Writes the route in the kernel's bytes, leaving by some link.
  private func writeRoute(on link: UInt32, to writer: inout AttributeWriter) {
    let flags: UInt32 = fixed(at: RouteHeader.flagsOffset) ?? 0
    writer.fixed(bytes: payload.prefix(RouteHeader.flagsOffset))
    // What else the flags tell is how the route fares, and the kernel refuses to be told that.
    writer.fixed(flags & RouteAttribute.onLink)
    var rest = payload.dropFirst(RouteHeader.byteCount)
    if let place = attributes(after: RouteHeader.byteCount)[RouteAttribute.link]?.bytes {
      writer.fixed(bytes: rest.prefix(upTo: place.startIndex))
      writer.fixed(link)
      rest = rest.suffix(from: place.endIndex)
    }
    writer.fixed(bytes: rest)
  }

  /// The links of a route's gateways where it has several. `struct rtnexthop`
  fileprivate var hopLinks: [UInt32] {
    guard let hops = attributes(after: RouteHeader.byteCount)[RouteAttribute.gateways] else {
      return []
    }
    var links: [UInt32] = []
    var offset = 0
    while let length: UInt16 = hops.integer(at: offset), length >= 8,
      let link: UInt32 = hops.integer(at: offset + 4)
    {
      links.append(link)
      offset += (Int(length) + 3) & ~3
    }
    return links
  }
}
