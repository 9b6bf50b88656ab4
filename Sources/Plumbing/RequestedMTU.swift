public import Addressing
public import CNI
internal import JSON
internal import Netlink
internal import NodeFiles
internal import RouteNetlink

/// How many bytes of payload a frame is to carry: key `mtu`.
///
///     "mtu": 1450       this many
///     "mtu": 0          as many as the kernel, or the link below, has; so does a key that is absent
///     "mtu": "node"     what reaches the pods of every peer in the flat network
///     "mtu": "auto"     what the host's default routes carry
public struct RequestedMTU: Hashable, Sendable {
  /// The size; nil for what the kernel, or the link below, has.
  public let mtu: MTU?
  /// Whether less will do as well, since the size was found and not written.
  let isLimit: Bool

  /// Reads the key.
  ///
  /// CHECK does not ask for the default routes, which may have changed since the ADD.
  ///
  /// - Throws: ``ProtocolError`` for a value that cannot be one; code 11, for STATUS 50, where there
  ///   is no default route.
  public init(_ request: Request) throws(ProtocolError) {
    let configuration = request.configuration
    let text = configuration.fields.value("mtu")?.textValue
    isLimit = text == "auto"
    mtu =
      switch text {
      case "node": try configuration.nodeSubnets().mtu
      case "auto" where request.command == .check: nil
      case "auto": try Self.ofDefaultRoutes(for: request.command)
      default: try Self.number(configuration.fields)
      }
  }

  private static func number(_ fields: JSONFields) throws(ProtocolError) -> MTU? {
    let bytes = try fields.read { fields throws(JSONFieldError) in try fields.integer("mtu") }
    guard let bytes, bytes != 0 else { return nil }
    do {
      return try MTU(bytes)
    } catch {
      throw ProtocolError(error, key: "mtu")
    }
  }

  /// The smallest of what the routes to the world carry, one of each family that there is.
  ///
  /// That is the MTU of the route's link, or the route's own if that is smaller.
  private static func ofDefaultRoutes(for command: Command) throws(ProtocolError) -> MTU {
    var sizes: [Int] = []
    do throws(NetlinkError) {
      let socket = try NetlinkSocket<RouteFamily>()
      for family in IPFamily.allCases {
        guard let route = try NodeAddresses.exit(family, on: socket), let index = route.linkIndex
        else { continue }
        sizes.append(min(try socket.link(index: index).mtu, route.mtu.map(Int.init) ?? .max))
      }
    } catch {
      throw ProtocolError(error, "mtu \"auto\": cannot look for the default route")
    }
    guard let smallest = sizes.min() else {
      throw ProtocolError(
        command == .status ? .notReady : .tryAgainLater,
        "mtu \"auto\": this host has no default route",
        details: "give it one, or write a number of bytes under \"mtu\"")
    }
    do {
      // `lo` has a byte more than any other link can have.
      return try MTU(min(smallest, 65535))
    } catch {
      throw ProtocolError(error, key: "mtu")
    }
  }
}
