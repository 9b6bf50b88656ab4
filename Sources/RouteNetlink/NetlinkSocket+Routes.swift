public import Addressing
internal import Linux
public import Netlink

extension NetlinkSocket where Family == RouteFamily {
  /// Adds a route.
  ///
  /// - Throws: ``NetlinkError``; `isAlreadyThere` if one stands in its place.
  public borrowing func addRoute(
    _ route: RouteEntry, _ addition: RouteAddition = .unlessPresent
  ) throws(NetlinkError) {
    try exchange(.addRoute(route, addition))
  }

  /// Deletes the first route that has all that this one says.
  ///
  /// - Throws: ``NetlinkError``; `isNotFound` if there is none.
  public borrowing func deleteRoute(_ route: RouteEntry) throws(NetlinkError) {
    try exchange(.deleteRoute(route))
  }

  /// Finds which route a packet to an address takes; nil if none does.
  ///
  /// The answer is about the one address, so its destination is that address alone.
  ///
  /// - Throws: ``NetlinkError`` for everything but `ENETUNREACH`.
  public borrowing func findRoute(to destination: IPAddress) throws(NetlinkError) -> RouteEntry? {
    do {
      return RouteEntry(try reply(to: .route(to: destination)))
    } catch {
      guard error.cause == .refused, error.errno == .networkUnreachable else { throw error }
      return nil
    }
  }

  /// Finds which routes packets to these addresses take, in one send; nil where none does.
  ///
  /// - Parameters:
  ///   - destinations: the addresses.
  ///   - asConfigured: the answers are to be the routes as they stand in their tables, without what the
  ///     kernel has learnt since of the way to an address, such as a smaller MTU.
  /// - Returns: a route for each, or nil.
  /// - Throws: ``NetlinkError`` as ``findRoute(to:)`` does.
  public borrowing func findRoutes(
    to destinations: [IPAddress], asConfigured: Bool = false
  ) throws(NetlinkError) -> [RouteEntry?] {
    var routes: [RouteEntry?] = []
    for answer in try batch(destinations.map { .route(to: $0, asConfigured: asConfigured) }) {
      do {
        routes.append(try answer.get().first.flatMap { RouteEntry($0) })
      } catch {
        guard error.cause == .refused, error.errno == .networkUnreachable else { throw error }
        routes.append(nil)
      }
    }
    return routes
  }

  /// Lists the routes of a family; what the kernel can leave out, it does not read.
  ///
  /// - Parameters:
  ///   - family: of this family.
  ///   - table: of this table; of all if nil.
  ///   - linkIndex: that leave by this link; by any if nil.
  ///   - origin: that were made by this one.
  /// - Returns: the routes, without those that were made from others for one destination.
  /// - Throws: ``NetlinkError``.
  public borrowing func routes(
    family: IPFamily, table: RouteTable? = .main, linkIndex: UInt32? = nil,
    origin: RouteOrigin = .any
  ) throws(NetlinkError) -> [RouteEntry] {
    do {
      return try exchange(
        .routes(family: family, table: table, linkIndex: linkIndex, origin: origin)
      )
      .compactMap { RouteEntry($0) }
      .filter { route in
        !route.isCached && route.destination.family == family
          && (table == nil || route.table == table)
          && (linkIndex == nil || route.linkIndex == linkIndex)
          && (origin == .any || route.origin == origin)
      }
    } catch {
      // A table without a route in it does not exist.
      guard error.isNotFound, table != nil else { throw error }
      return []
    }
  }
}
