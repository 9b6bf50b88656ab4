internal import Addressing
internal import CNI
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Where a lease belongs: a namespace and an interface in it.
///
/// It is entered for each visit and left again. Held open, it would live on after its container.
struct ContainerPlace {
  /// The namespace's path, as the daemon sees it.
  let path: String
  /// Which namespace it is: the path of one that is gone may be another's by now.
  let identity: FileIdentity
  /// The interface.
  let interface: InterfaceName

  /// Finds a namespace for the first time.
  ///
  /// - Throws: `ProtocolError`, code 3 if it is gone.
  init(path: String, interface: InterfaceName) throws(ProtocolError) {
    do throws(SystemError) {
      identity = try NetworkNamespace(path: path).identity()
    } catch {
      throw ProtocolError(unreachable: error)
    }
    self.path = path
    self.interface = interface
  }

  /// A namespace that was found before.
  init(path: String, interface: InterfaceName, identity: FileIdentity) {
    self.path = path
    self.interface = interface
    self.identity = identity
  }

  /// Whether the namespace is no more, or its path another's.
  ///
  /// - Throws: `ProtocolError` when that cannot be told.
  func isGone() throws(ProtocolError) -> Bool {
    do throws(SystemError) {
      return try File.status(of: path, followingLink: true)?.identity != identity
    } catch {
      if Self.tellsGone(error.errno) { return true }
      throw ProtocolError(error)
    }
  }

  /// Does something inside.
  ///
  /// - Parameter body: the work; it is lent a socket that was opened inside.
  /// - Returns: what the work returns; nil when the namespace is no more.
  /// - Throws: `ProtocolError`.
  func visit<Product: ~Copyable>(
    _ body: (borrowing NetlinkSocket<RouteFamily>) throws(ProtocolError) -> Product
  ) throws(ProtocolError) -> Product? {
    let namespace: NetworkNamespace
    let found: FileIdentity
    do throws(SystemError) {
      let opened = try NetworkNamespace(path: path)
      found = try opened.identity()
      namespace = opened
    } catch {
      if Self.tellsGone(error.errno) { return nil }
      throw ProtocolError(unreachable: error)
    }
    guard found == identity else { return nil }
    do {
      return try namespace.run { () throws(ProtocolError) -> Product in
        let socket: NetlinkSocket<RouteFamily>
        do throws(NetlinkError) {
          socket = try NetlinkSocket<RouteFamily>()
        } catch {
          throw ProtocolError(error)
        }
        return try body(socket)
      }
    } catch {
      throw ProtocolError(error)
    }
  }

  /// The interface, through a socket that was opened inside.
  ///
  /// - Throws: `ProtocolError`; in upstream's words when it is not there.
  func link(_ socket: borrowing NetlinkSocket<RouteFamily>) throws(ProtocolError) -> Link {
    let found: Link?
    do throws(NetlinkError) {
      found = try socket.findLink(named: interface)
    } catch {
      throw ProtocolError(error, "error looking up \(interface.text.inQuotes)")
    }
    guard let found else {
      throw ProtocolError(
        .internalFailure, "error looking up \(interface.text.inQuotes): Link not found",
        details: "dhcp works over an interface that the main plugin has made in \(path)")
    }
    return found
  }

  /// No file, no directory above it, a process that has ended, or something else by that path.
  private static func tellsGone(_ errno: Errno) -> Bool {
    [.noEntry, .notDirectory, .noProcess, .noDeviceOrAddress, .invalid].contains(errno)
  }
}
