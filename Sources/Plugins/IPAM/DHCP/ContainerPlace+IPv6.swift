internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

// What the kernel does about IPv6 on its own, before main plugins give the interface what a result
// says and stop listening to routers.

extension ContainerPlace {
  /// Lets the kernel listen to routers, and ask for them.
  ///
  /// - Parameter makesAddresses: whether it makes addresses of what they announce. RFC 4862
  /// - Throws: `ProtocolError` when the settings cannot be had.
  func listenToRouters(makesAddresses: Bool) throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      let link = try link(socket)
      do throws(SystemError) {
        let settings = try Sysctl.Folder(["net", "ipv6", "conf", link.name.text])
        // 1 is as good as 0 where packets are forwarded.
        let (listens, forwards) = (
          try settings.read(["accept_ra"]), try settings.read(["forwarding"])
        )
        var wanted: [(key: String, value: String)] = []
        if listens == "0" || listens == "1" && forwards != "0" { wanted.append(("accept_ra", "2")) }
        if makesAddresses, try settings.read(["autoconf"]) != "1" {
          wanted.append(("autoconf", "1"))
        }
        let isOff = try settings.read(["disable_ipv6"]) != "0"
        guard isOff || !wanted.isEmpty else { return }
        // The kernel asks for routers when IPv6 starts, and then no more.
        if link.isUp && !isOff { try settings.write(["disable_ipv6"], "1") }
        for (key, value) in wanted { try settings.write([key], value) }
        try settings.writeIfDifferent(["disable_ipv6"], "0")
      } catch {
        throw ProtocolError(
          .internalFailure, "failed to switch on IPv6 for \(link.name.text.inQuotes): \(error)",
          details: error.errno == .noEntry
            ? "the kernel runs without IPv6; take ipam.ipv6 out of the configuration"
            : "net.ipv6.conf.\(link.name) must be writable in the container's namespace")
      }
    }
  }

  /// Stops listening to routers, and takes from the interface what was learned of them.
  ///
  /// - Throws: `ProtocolError` when the kernel keeps any of it.
  func takeLearned() throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      let link = try link(socket)
      do throws(SystemError) {
        // First, so that nothing comes back.
        try Sysctl.writeIfDifferent(["net", "ipv6", "conf", link.name.text, "accept_ra"], "0")
      } catch  where error.errno == .readOnly {
        // Main plugins write it too, perhaps from where they may.
      } catch {
        throw ProtocolError(error)
      }
      let view = try IPv6View(link, socket)
      let steps =
        view.learnedRoutes.map { Message.deleteRoute($0) }
        + view.learned.map { Message.deleteAddress($0) }
      try Self.send(steps, by: socket)
    }
  }

  /// Gives the interface an address, to see whether another host has it.
  ///
  /// RFC 4862, section 5.4. It brings no route, since it stays only until that is known.
  ///
  /// - Returns: what was given, for ``withdraw(_:)``; nil when the namespace is no more.
  /// - Throws: `ProtocolError`.
  func tryOut(_ address: IPv6Address) throws(ProtocolError) -> AddressEntry? {
    try visit { socket throws(ProtocolError) in
      let alone = InterfaceAddress(address: .v6(address), prefix: .host(.v6))
      let entry = AddressEntry(
        alone, onLink: try link(socket).index, flags: [.withoutSubnetRoute])
      do throws(NetlinkError) {
        try socket.addAddress(entry)
      } catch {
        // One of the kernel's own making is looked at in the same way.
        guard error.isAlreadyThere else { throw ProtocolError(error) }
      }
      return entry
    }
  }

  /// Takes an address from the interface; that it is gone already is no error.
  func withdraw(_ address: AddressEntry) throws(ProtocolError) {
    _ = try visit { socket throws(ProtocolError) in
      try Self.send([.deleteAddress(address)], by: socket)
    }
  }
}
