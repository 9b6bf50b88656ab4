public import Addressing
public import Netlink

extension Message {
  /// Adds a route.
  ///
  /// Kernel name: `RTM_NEWROUTE`.
  public static func addRoute(_ route: RouteEntry, _ addition: RouteAddition = .unlessPresent)
    -> Message
  {
    Message(
      RequestType.newRoute, flags: addition.flags, operation: "add route \(route.summary)"
    ) { writer in
      route.write(to: &writer)
    }
  }

  /// Deletes the first route that has all that this one says.
  ///
  /// Refused with `ESRCH` if there is none. Scope `nowhere` and origin `any` fit every route.
  ///
  /// Kernel name: `RTM_DELROUTE`.
  public static func deleteRoute(_ route: RouteEntry) -> Message {
    Message(RequestType.deleteRoute, operation: "delete route \(route.summary)") { writer in
      route.write(to: &writer)
    }
  }

  /// Asks which route a packet to an address takes.
  ///
  /// Refused with `ENETUNREACH` if none does.
  ///
  /// Kernel name: `RTM_GETROUTE`.
  ///
  /// - Parameters:
  ///   - destination: the address.
  ///   - asConfigured: the answer is to be the route as it stands in its table, without what the kernel
  ///     has learnt since of the way to that address. `RTM_F_FIB_MATCH`
  /// - Returns: the request.
  public static func route(to destination: IPAddress, asConfigured: Bool = false) -> Message {
    Message(
      RequestType.getRoute, answer: .reply, operation: "look up route to \(destination)"
    ) { writer in
      RouteHeader(
        family: destination.family.number, prefixLength: UInt8(destination.family.bitWidth),
        flags: asConfigured ? RouteAttribute.asksEntry : 0
      ).write(to: &writer)
      writer.bytes(RouteAttribute.destination, destination.bytes)
    }
  }

  /// Lists the routes of a family.
  ///
  /// - Parameters:
  ///   - family: of this family.
  ///   - table: of this table; of all if nil.
  ///   - linkIndex: that leave by this link; by any if nil.
  ///   - origin: that were made by this one.
  /// - Returns: the request.
  public static func routes(
    family: IPFamily, table: RouteTable? = .main, linkIndex: UInt32? = nil,
    origin: RouteOrigin = .any
  ) -> Message {
    Message(RequestType.getRoute, answer: .listing, operation: "list \(family) routes") { writer in
      RouteHeader(family: family.number, table: table ?? RouteTable(rawValue: 0), origin: origin)
        .write(to: &writer)
      if let table { writer.uint32(RouteAttribute.table, table.rawValue) }
      if let linkIndex { writer.uint32(RouteAttribute.link, linkIndex) }
    }
  }
}

extension RouteAddition {
  /// What says so in a request.
  var flags: Header.Flags {
    switch self {
    case .unlessPresent: [.create, .exclusive]
    case .beside: .create
    case .inItsPlace: [.create, .replace]
    }
  }
}

extension RouteEntry {
  /// The route in a few words, for error messages.
  var summary: String {
    var text = "\(destination)"
    if let gateway { text += " via \(gateway)" }
    if let linkIndex { text += " on link #\(linkIndex)" }
    if let priority { text += " priority \(priority)" }
    if table != .main { text += " table \(table.rawValue)" }
    return text
  }
}
