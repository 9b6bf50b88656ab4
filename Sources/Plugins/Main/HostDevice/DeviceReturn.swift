import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// The way of a device back to the host.
enum DeviceReturn {
  /// Brings the device of an attachment back, wherever it is by now.
  ///
  /// The name on the host stands in the device's alias. A device that is not in the container has
  /// come back already; if the whole namespace has gone, the kernel has brought it back, under the
  /// name that it had in the container or one of its own making, and only the name is put right.
  ///
  /// - Throws: `ProtocolError` when the device is there and cannot be brought back.
  static func perform(_ request: Request) throws(ProtocolError) {
    guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else {
      return try restoreName(request)
    }
    let interface = try request.attachment.interface
    let found: Link?
    do {
      found = try worlds.container.findLink(named: interface)
    } catch {
      throw ProtocolError(error)
    }
    guard let link = found, let name = try nameOnHost(of: link, request) else { return }
    try BorrowedLink.giveBack(link, as: name, in: worlds)
  }

  /// What a link of the container is called on the host; `nil` if it is not this attachment's.
  private static func nameOnHost(
    of link: Link, _ request: Request
  ) throws(ProtocolError) -> InterfaceName? {
    let configured = configuration(request)?.device
    if let name = link.nameInAlias {
      // The path may lead to another container by now, which has borrowed another device.
      return configured == nil || configured == name ? name : nil
    }
    guard isTold(link, request) else { return nil }
    guard let configured else {
      throw ProtocolError(
        .internalFailure,
        "failed to find original ifname for \"\(link.name)\" (alias is not set)",
        details: "set it to the device's name on the host, then DEL again: "
          + "ip link set \(link.name) alias NAME")
    }
    return configured
  }

  /// Whether the result of the ADD tells of this very link; a link without an alias is nobody's else.
  private static func isTold(_ link: Link, _ request: Request) -> Bool {
    do throws(ProtocolError) {
      let told = try PreviousResult(request).containerInterface().hardwareAddress
      return told != nil && told == link.hardwareAddress
    } catch {
      // DEL must do with what there is.
      return false
    }
  }

  /// Gives a device its name again that the kernel has brought back from a namespace that went.
  private static func restoreName(_ request: Request) throws(ProtocolError) {
    guard let configuration = configuration(request) else { return }
    let interface = try request.attachment.interface
    let host = try HostAndContainer.hostSocket()
    guard let link = try returned(configuration, host), let name = link.nameInAlias,
      name != link.name, link.kind == nil, !link.isUp,
      link.name == interface || link.name.text.hasPrefix("dev")
    else { return }
    var change = LinkChange(.index(link.index))
    change.name = name
    change.alias = ""
    do {
      try host.changeLink(change)
    } catch {
      throw ProtocolError(error, "failed to rename \"\(link.name)\" to \"\(name)\" on the host")
    }
  }

  /// The device on the host; it does not bear its own name, so `device` is looked for in aliases.
  private static func returned(
    _ configuration: HostDeviceConfiguration, _ host: borrowing RouteSocket
  ) throws(ProtocolError) -> Link? {
    guard let device = configuration.device else {
      do throws(ProtocolError) {
        guard case .link(let link, _) = try configuration.find(host) else { return nil }
        return link
      } catch {
        // Taken out of the machine, or lent to another container: there is no name to put right.
        return nil
      }
    }
    do {
      guard try host.findIndex(named: device) == nil else { return nil }
      return try host.links().first { $0.alias == device.text && $0.kind == nil }
    } catch {
      throw ProtocolError(error)
    }
  }

  /// The configuration if it still makes sense; DEL must do with what there is.
  private static func configuration(_ request: Request) -> HostDeviceConfiguration? {
    do throws(ProtocolError) {
      return try HostDeviceConfiguration(request)
    } catch {
      return nil
    }
  }
}

extension Link {
  /// The name in its alias, if that could be the name of a link.
  fileprivate var nameInAlias: InterfaceName? {
    do throws(AddressParseError) {
      return try alias.map { text throws(AddressParseError) in try InterfaceName(text) }
    } catch {
      return nil
    }
  }
}
