import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// A link of the host that is lent to a container.
///
/// Its alias says what it is called on the host, as upstream's plugin has it, so either can bring it
/// back. What hung on it on the host, addresses and routes, the kernel takes away as it leaves; it is
/// remembered for as long as the ADD may fail.
struct BorrowedLink: Sendable {
  /// The link in the container.
  let link: Link
  /// The link as it was on the host.
  private let original: Link
  /// What hung on it there.
  private let entries: LinkEntries

  /// Moves a link into the container, renamed and signed in one message.
  ///
  /// It takes on its name only where it comes to, so neither the names of the host nor whoever
  /// watches them there are in the way. Leaves it as it was when it fails.
  ///
  /// - Throws: `ProtocolError` when the container has an interface of that name, or when the kernel
  ///   refuses.
  init(
    _ device: Link, as name: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let step = "failed to move link \"\(device.name)\""
    do {
      entries = try LinkEntries(of: device, worlds.host)
    } catch {
      throw ProtocolError(error, step)
    }
    do throws(NetlinkError) {
      guard try worlds.container.findIndex(named: name) == nil else {
        throw NetlinkError(
          operation: "rename \(device.name) to \(name) in the container", errno: .exists,
          kernelMessage: "the container has an interface of that name")
      }
      var change = LinkChange(.index(device.index))
      change.move(to: worlds.namespace)
      change.name = name
      change.alias = device.name.text
      try worlds.host.changeLink(change)
      link = try worlds.container.link(named: name)
    } catch {
      Self.recover(device, entries, wanted: name, in: worlds)
      throw ProtocolError(error, step)
    }
    original = device
  }

  /// Gives it back as it was: name, alias, switched on if it was, with its addresses and routes.
  func takeBack(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    try Self.give(link, back: original, with: entries, in: worlds)
  }

  /// Moves a link of the container to the host under its name there, switched off.
  ///
  /// - Throws: `ProtocolError` when the host has another link of that name by now, or when the kernel
  ///   refuses; the link then stays in the container, as it was.
  static func giveBack(
    _ link: Link, as name: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    var home = link
    home.name = name
    home.alias = nil
    home.flags = []
    try give(link, back: home, in: worlds)
  }

  private static func give(
    _ link: Link, back original: Link, with entries: LinkEntries? = nil,
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    let step = "failed to move \"\(link.name)\" back to the host as \"\(original.name)\""
    do throws(NetlinkError) {
      guard try worlds.host.findIndex(named: original.name) == nil else {
        throw NetlinkError(
          operation: "rename \(link.name) to \(original.name)", errno: .exists,
          kernelMessage: "the host has another link of that name; rename or remove it")
      }
      var change = LinkChange(.index(link.index))
      let host = try currentNamespace()
      change.move(to: host)
      change.name = original.name
      change.alias = original.alias ?? ""
      if original.isUp { change.isUp = true }
      try worlds.container.changeLink(change)
      if let entries {
        try entries.restore(on: try worlds.host.link(named: original.name), worlds.host)
      }
    } catch {
      throw ProtocolError(error, step)
    }
  }

  private static func currentNamespace() throws(NetlinkError) -> NetworkNamespace {
    do throws(SystemError) {
      return try NetworkNamespace.current()
    } catch {
      throw NetlinkError(
        operation: "open the host's namespace", errno: error.errno,
        cause: .socket(call: error.operation))
    }
  }

  /// Brings a link back that has moved although not all of the message was done.
  private static func recover(
    _ device: Link, _ entries: LinkEntries, wanted: InterfaceName,
    in worlds: borrowing HostAndContainer
  ) {
    Rollback.undoNow {
      guard try worlds.host.findIndex(named: device.name) == nil else { return }
      for name in [wanted, device.name] {
        guard let found = try worlds.container.findLink(named: name), found.kind == device.kind,
          found.hardwareAddress == device.hardwareAddress
        else { continue }
        return try give(found, back: device, with: entries, in: worlds)
      }
    }
  }
}
