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
    try change { link in
      let old = Steps(before ?? PluginResult(), on: link)
      let new = Steps(result, on: link)
      return new.addresses.map { .addAddress($0, replacing: true) }
        + new.routes.map { .addRoute($0, .inItsPlace) }
        + old.routes.filter { !new.routes.contains($0) }.map { .deleteRoute($0) }
        + old.addresses.filter { !new.addresses.contains($0) }.map { .deleteAddress($0) }
    }
  }

  /// Takes the addresses and routes of a result from the interface.
  ///
  /// - Throws: `ProtocolError` of the first step that failed; the others are done.
  func withdraw(_ result: PluginResult) throws(ProtocolError) {
    try change { link in
      let old = Steps(result, on: link)
      return old.routes.map { .deleteRoute($0) } + old.addresses.map { .deleteAddress($0) }
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

  private func change(_ steps: (Link) -> [Message]) throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      let messages = steps(try link(socket))
      do throws(NetlinkError) {
        for answer in try socket.batch(messages) {
          // What has been taken away already need not be.
          if case .failure(let error) = answer, !error.isNotFound { throw error }
        }
      } catch {
        throw ProtocolError(error)
      }
    }
  }
}

/// A result in the kernel's terms.
private struct Steps {
  let addresses: [AddressEntry]
  let routes: [RouteEntry]

  init(_ result: PluginResult, on link: Link) {
    addresses = result.addresses.map { AddressEntry($0.address, onLink: link.index) }
    routes = result.routes.map { route in
      var entry = RouteEntry(
        to: route.subnet, via: route.gateway, onLink: link.index,
        scope: route.gateway == nil ? .link : .universe)
      entry.priority = route.priority.map(UInt32.init(clamping:))
      return entry
    }
  }
}
