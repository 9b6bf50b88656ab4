public import Addressing
public import CNI
internal import JSON
internal import Netlink
public import RouteNetlink

/// The link that a container's own link stands on.
public struct LowerLink: Sendable {
  /// The link.
  public let link: Link
  /// Whether it is in the container; else it is the host's.
  public let isInContainer: Bool

  /// The MTU that is asked for; where less will do, no more than the lower link has.
  ///
  /// - Throws: ``ProtocolError``, code 7, where the host's default routes say nothing about the link.
  public func size(_ asked: RequestedMTU) throws(ProtocolError) -> MTU? {
    guard asked.isLimit, let mtu = asked.mtu else { return asked.mtu }
    guard !isInContainer else {
      throw ProtocolError(
        .invalidConfiguration, "mtu \"auto\" is what the host's default route carries",
        details: "\"\(link.name)\" is a link of the container: leave \"mtu\" out for its MTU")
    }
    return mtu.bytes < link.mtu ? mtu : nil
  }

  /// Refuses an MTU that frames of the lower link have no room for.
  ///
  /// - Throws: ``ProtocolError``, code 7.
  public func checkRoom(for mtu: MTU?) throws(ProtocolError) {
    guard let mtu, mtu.bytes > link.mtu else { return }
    throw ProtocolError(
      .invalidConfiguration, "invalid MTU \(mtu), must be [0, master MTU(\(link.mtu))]",
      details: "key \"mtu\"; 0 takes the MTU of \"\(link.name)\"")
  }

  /// Looks whether a link of the container stands on this one.
  fileprivate func checkCarries(_ upper: Link) throws(ProtocolError) {
    guard upper.peerIndex == link.index, (upper.peerNamespaceID == nil) == isInContainer else {
      throw ProtocolError(
        .internalFailure, "Container interface \(upper.name) does not stand on \"\(link.name)\"",
        details: "the master is another link than at the ADD; run DEL and ADD again")
    }
  }
}

/// Which link a container's own link is to stand on: keys `master` and `linkInContainer`.
public struct LowerLinkChoice: Sendable {
  /// Its name; `nil` for the link of the default route.
  public var name: InterfaceName?
  /// Whether it is looked for in the container.
  public let isInContainer: Bool

  /// Reads the keys.
  ///
  /// - Throws: ``ProtocolError``, code 7, for a name that no link can have.
  public init(_ configuration: NetworkConfiguration) throws(ProtocolError) {
    let keys = try configuration.fields.read { fields throws(JSONFieldError) in
      (
        master: try fields.text("master") ?? "",
        isInContainer: try fields.boolean("linkInContainer") ?? false
      )
    }
    isInContainer = keys.isInContainer
    guard !keys.master.isEmpty else { return }
    do {
      name = try InterfaceName(keys.master)
    } catch {
      throw ProtocolError(error, key: "master")
    }
  }

  /// Finds the link.
  ///
  /// - Throws: ``ProtocolError`` when there is none.
  public func find(in worlds: borrowing HostAndContainer) throws(ProtocolError) -> LowerLink {
    isInContainer ? try find(worlds.container) : try find(worlds.host)
  }

  /// Looks whether a link of the container still stands on the link that the configuration names.
  ///
  /// The default route may have moved since the ADD, so without a name any link will do.
  ///
  /// - Throws: ``ProtocolError`` when there is no such link, or the other one is not on it.
  public func check(
    below upper: Link, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard name != nil else { return }
    try find(in: worlds).checkCarries(upper)
  }

  /// Looks for the link if the host has it, and changes nothing.
  ///
  /// - Throws: ``ProtocolError``, code 50, when there is none.
  public func checkPossible() throws(ProtocolError) {
    guard !isInContainer else { return }
    do {
      _ = try find(try HostAndContainer.hostSocket())
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
  }

  private func find(_ socket: borrowing RouteSocket) throws(ProtocolError) -> LowerLink {
    guard let name else { return try findByDefaultRoute(socket) }
    do {
      return LowerLink(link: try socket.link(named: name), isInContainer: isInContainer)
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "failed to lookup master \"\(name)\": \(error)",
        details: error.isNotFound
          ? "key \"master\" names no link of the \(isInContainer ? "container" : "host")" : "")
    }
  }

  private func findByDefaultRoute(
    _ socket: borrowing RouteSocket
  ) throws(ProtocolError) -> LowerLink {
    do throws(NetlinkError) {
      for family in IPFamily.allCases {
        let routes = try socket.routes(family: family)
        let index = routes.first { $0.destination.isEverything && $0.linkIndex != nil }?.linkIndex
        if let index {
          return LowerLink(link: try socket.link(index: index), isInContainer: isInContainer)
        }
      }
    } catch {
      throw ProtocolError(error, "failed to look for the default route")
    }
    throw ProtocolError(
      .internalFailure, "no default route interface found",
      details: "name the link to stand on under \"master\"")
  }
}
