internal import Addressing
internal import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink

// What main plugins do with a result at ADD, done again when the lease has changed since.

extension ContainerPlace {
  /// Gives the interface the addresses and routes of a result, and takes away those before.
  ///
  /// - Throws: `ProtocolError` of the first step that failed; the others are done.
  func apply(_ result: PluginResult, insteadOf before: PluginResult?) throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      let link = try link(socket)
      let old = Steps(before ?? PluginResult(), on: link)
      let new = Steps(result, on: link)
      try Self.send(
        new.addresses.map { .addAddress($0, replacing: true) }
          + new.routes.map { .addRoute($0, .inItsPlace) }
          + old.routes.filter { !new.routes.contains($0) }.map { .deleteRoute($0) }
          + old.addresses.filter { !new.addresses.contains($0) }.map { .deleteAddress($0) },
        by: socket)
    }
  }

  /// Gives the interface an MTU.
  ///
  /// - Throws: `ProtocolError` when the link cannot have it.
  func resize(to mtu: MTU) throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      let link = try link(socket)
      guard link.mtu != mtu.bytes else { return }
      var change = LinkChange(.index(link.index))
      change.mtu = mtu
      do throws(NetlinkError) {
        try socket.changeLink(change)
      } catch {
        throw ProtocolError(error)
      }
    }
  }

  /// Whether namespace and interface are there.
  ///
  /// - Throws: `ProtocolError` when that cannot be told.
  func hasInterface() throws(ProtocolError) -> Bool {
    try visit { socket throws(ProtocolError) in
      do throws(NetlinkError) {
        return try socket.findIndex(named: interface) != nil
      } catch {
        throw ProtocolError(error)
      }
    } ?? false
  }

  /// Switches the interface on.
  ///
  /// - Returns: the interface; nil when the namespace is no more.
  /// - Throws: `ProtocolError`; in upstream's words when it cannot be switched on.
  func switchOn() throws(ProtocolError) -> Link? {
    try visit { socket throws(ProtocolError) in
      let link = try link(socket)
      if link.isUp { return link }
      var change = LinkChange(.index(link.index))
      change.isUp = true
      do throws(NetlinkError) {
        return try socket.changeLinkAndRead(change)
      } catch {
        throw ProtocolError(error, "failed to set \(link.name.text.inQuotes) UP")
      }
    }
  }

  /// Does steps in one go.
  ///
  /// - Throws: `ProtocolError` of the first that failed; the others are done, and what has been taken
  ///   away already need not be.
  static func send(
    _ steps: [Message], by socket: borrowing NetlinkSocket<RouteFamily>
  ) throws(ProtocolError) {
    guard !steps.isEmpty else { return }
    do throws(NetlinkError) {
      for answer in try socket.batch(steps) {
        if case .failure(let error) = answer, !error.isNotFound { throw error }
      }
    } catch {
      throw ProtocolError(error)
    }
  }
}

/// A result in the kernel's terms.
private struct Steps {
  let addresses: [AddressEntry]
  let routes: [RouteEntry]

  init(_ result: PluginResult, on link: Link) {
    addresses = result.addresses.map { address in
      // Whether another host has it is known by now.
      let flags: AddressFlags = address.address.family == .v6 ? [.withoutDuplicateDetection] : []
      return AddressEntry(address.address, onLink: link.index, flags: flags)
    }
    routes = result.routes.map { route in
      var entry = RouteEntry(
        to: route.subnet, via: route.gateway, onLink: link.index,
        scope: route.gateway == nil ? .link : .universe)
      entry.priority = route.priority.map(UInt32.init(clamping:))
      return entry
    }
  }
}
