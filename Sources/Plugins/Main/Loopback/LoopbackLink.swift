internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// The link `lo` of a container.
struct LoopbackLink {
  /// The link as it was found.
  let link: Link
  private let sandbox: String

  /// Finds it.
  init(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    do throws(NetlinkError) {
      link = try worlds.container.link(.index(loopbackIndex))
    } catch {
      throw ProtocolError(error, "failed to look up the loopback interface")
    }
    sandbox = worlds.namespace.path
  }

  /// Refuses to go on where someone else has given `lo` an address that others could mean.
  func refuseOtherAddresses(in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    for entry in try addresses(in: worlds) where !entry.address.address.isLoopback {
      throw ProtocolError(
        .internalFailure,
        "loopback interface found with non-loopback address \"\(entry.address.address)\"",
        details: "remove it from lo in \(sandbox)")
    }
  }

  /// Switches it on or off; the kernel adds the loopback addresses when it comes on.
  func set(up isUp: Bool, in worlds: borrowing HostAndContainer) throws(ProtocolError) {
    do throws(NetlinkError) {
      try worlds.container.setLink(.index(link.index), up: isUp)
    } catch {
      throw ProtocolError(error, "failed to set the loopback interface \(isUp ? "up" : "down")")
    }
  }

  /// What an ADD tells of it: the link, and its first address of either family.
  func result(in worlds: borrowing HostAndContainer) throws(ProtocolError) -> PluginResult {
    let addresses = try addresses(in: worlds).map(\.address)
    return PluginResult(
      interfaces: [ResultInterface(link, sandbox: sandbox)],
      addresses: IPFamily.allCases.compactMap { family in
        addresses.first { $0.family == family }.map { ResultAddress(address: $0, interface: 0) }
      })
  }

  private func addresses(
    in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) -> [AddressEntry] {
    do throws(NetlinkError) {
      return try worlds.container.addresses(ofLink: link.index)
    } catch {
      throw ProtocolError(error, "failed to list the addresses of the loopback interface")
    }
  }
}

/// The number of `lo` in every network namespace, whatever it has been renamed to.
///
/// Kernel name: `LOOPBACK_IFINDEX`.
private let loopbackIndex: UInt32 = 1
