internal import Addressing
internal import Linux
public import Netlink

/// The addresses and routes that hang on a link, word for word as the kernel tells them.
///
/// They go as the link moves to another namespace, and what this library does not know of them, such
/// as life times or metrics, must be there again when it comes back.
public struct LinkEntries: Sendable {
  private let linkIndex: UInt32
  private let addresses: [Message]
  private let routes: [Message]

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
    for family in IPFamily.allCases {
      for message in try socket.exchange(
        .routes(family: family, table: nil, linkIndex: link.index))
      {
        guard let route = RouteEntry(message), route.linkIndex == link.index, !route.isCached,
          route.origin != .kernel
        else { continue }
        found.append((message, route.gateway != nil))
      }
    }
    // A gateway has to be reached by the routes before it.
    routes = (found.filter { !$0.hasGateway } + found.filter(\.hasGateway)).map(\.message)
  }

  /// Puts all of it back that the link does not have.
  ///
  /// - Parameters:
  ///   - link: the same link, where it came from.
  ///   - socket: to there.
  /// - Throws: ``NetlinkError`` of the first that is refused, after all have been tried.
  public func restore(
    on link: Link, _ socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(NetlinkError) {
    guard !addresses.isEmpty || !routes.isEmpty else { return }
    guard link.index == linkIndex else {
      throw NetlinkError(
        operation: "put addresses and routes back on \(link.name)", errno: .noDevice,
        kernelMessage: "it was link #\(linkIndex) and is #\(link.index) now")
    }
    var failure: NetlinkError?
    for answer in try socket.batch((addresses + routes).map { $0.again(on: link.name.text) }) {
      do throws(NetlinkError) {
        _ = try answer.get()
      } catch {
        if !error.isAlreadyThere, failure == nil { failure = error }
      }
    }
    if let failure { throw failure }
  }
}

extension Message {
  /// Asks for the very thing that this one has told of.
  fileprivate func again(on link: String) -> Message {
    let isAddress = header.type == RequestType.newAddress
    return Message(
      header.type, flags: [.create, .exclusive],
      operation: "put \(isAddress ? "an address" : "a route") back on \(link)"
    ) { writer in
      writer.fixed(bytes: payload)
    }
  }
}
