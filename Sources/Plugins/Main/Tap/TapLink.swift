import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// The device as a link of the container.
enum TapLink {
  /// What the kernel calls links that a program serves.
  private static let kind = "tun"

  /// Makes the device in the container.
  ///
  /// - Throws: `ProtocolError` when the container has an interface of that name, or the host no
  ///   such devices.
  static func make(
    _ name: InterfaceName, _ settings: TapConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do {
      try worlds.namespace.run { () throws(SystemError) in
        try TapDevice.make(name.text, settings.device)
      }
    } catch .work(let error) where error.errno == .busy && error.operation.hasSuffix("TUNSETIFF") {
      throw ProtocolError(
        .internalFailure, "failed to create tap: the container has an interface \(name) already")
    } catch {
      throw ProtocolError(error, "failed to create tap \"\(name)\"")
    }
  }

  /// Signs the device, gives it what only netlink can give, and reads it back.
  ///
  /// - Throws: `ProtocolError` that names what the kernel refused.
  static func finish(
    _ attachment: Attachment, _ settings: TapConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let name = attachment.interface
    let names = AttachmentNames(attachment)
    var change = LinkChange(.name(name))
    change.alias = names.alias
    change.mtu = settings.mtu
    change.hardwareAddress = settings.hardwareAddress ?? names.containerHardwareAddress
    if let bridge = settings.bridge {
      change.master = try find(bridge, in: worlds).index
    }
    do {
      return try worlds.container.changeLinkAndRead(change)
    } catch {
      throw ProtocolError(error, "failed to set up tap \"\(name)\"")
    }
  }

  /// Removes the device; one that has gone, and a link of somebody else, are no error.
  ///
  /// Upstream signs nothing, so what bears no name of ours counts as the attachment's.
  static func remove(
    _ attachment: Attachment, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do throws(NetlinkError) {
      guard let link = try worlds.container.findLink(named: attachment.interface),
        link.kind == kind
      else { return }
      let alias = link.alias ?? ""
      let isOthers =
        alias.hasPrefix(AttachmentNames.aliasPrefix) && alias != AttachmentNames(attachment).alias
      guard !isOthers else { return }
      try worlds.container.deleteLinkInBackground(link.index)
    } catch {
      guard error.isNotFound else { throw ProtocolError(error) }
    }
  }

  /// Gives a device the MTU and the bridge that the configuration asks for.
  ///
  /// - Throws: `ProtocolError` that names what the kernel refused, or when it is no such device.
  static func restore(
    _ link: Link, _ settings: TapConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard link.kind == kind else { throw fault("Container interface \(link.name) not of type tap") }
    var change = LinkChange(.index(link.index))
    change.mtu = settings.mtu
    if let bridge = settings.bridge { change.master = try find(bridge, in: worlds).index }
    do {
      try worlds.container.changeLink(change)
    } catch {
      throw ProtocolError(error, "failed to restore tap \"\(link.name)\"")
    }
  }

  /// Looks whether a link is a device such as the configuration asks for.
  static func check(
    _ link: Link, _ settings: TapConfiguration, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    guard link.kind == kind else { throw fault("Container interface \(link.name) not of type tap") }
    guard link.isUp else { throw fault("Interface \(link.name) is down") }
    if let mtu = settings.mtu, link.mtu != mtu.bytes {
      throw fault("MTU of \(link.name) is \(link.mtu), not \(mtu)")
    }
    guard let name = settings.bridge else { return }
    guard link.masterIndex == (try find(name, in: worlds)).index else {
      throw fault("\(link.name) is not a port of bridge \(name)")
    }
  }

  /// A bridge in the container.
  private static func find(
    _ name: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> Link {
    let link: Link
    do {
      link = try worlds.container.link(named: name)
    } catch {
      throw ProtocolError(error, "failed to get bridge \(name) in the container")
    }
    guard link.kind == "bridge" else {
      throw ProtocolError(.invalidConfiguration, "bridge: \(name) in the container is no bridge")
    }
    return link
  }

  private static func fault(_ message: String) -> ProtocolError {
    ProtocolError(.internalFailure, "tap: \(message)", details: "run DEL and ADD again")
  }
}
