public import CNI
public import Linux
public import Netlink
public import RouteNetlink

/// The two worlds that an attachment joins, each with a way to speak to its kernel tables.
///
/// A socket opened inside the container's namespace keeps working from outside, so the thread itself
/// is in there only while something is opened or a setting is written.
public struct HostAndContainer: ~Copyable {
  /// The container's network namespace.
  public let namespace: NetworkNamespace
  /// Links, addresses and routes of the namespace the plugin runs in.
  public let host: NetlinkSocket<RouteFamily>
  /// Links, addresses and routes of the container.
  public let container: NetlinkSocket<RouteFamily>
  /// How the container's interfaces treat IPv6.
  let containerIPv6: IPv6Settings

  /// Opens the container's namespace and a socket on either side.
  ///
  /// - Parameter path: `CNI_NETNS`.
  /// - Throws: ``ProtocolError``, code 3 when the namespace is gone, 5 when it cannot be opened.
  public init(_ path: String) throws(ProtocolError) {
    let namespace = try Self.open(path)
    let host = try Self.hostSocket()
    let inside: Inside
    do {
      inside = try namespace.run { () throws(NetlinkError) in try Inside() }
    } catch {
      throw ProtocolError(error, "failed to open netns \"\(path)\"")
    }
    self.namespace = namespace
    self.host = host
    container = inside.socket
    containerIPv6 = inside.ipv6
  }

  /// What is opened in the container, in one visit.
  private struct Inside: ~Copyable {
    let socket: NetlinkSocket<RouteFamily>
    let ipv6: IPv6Settings

    init() throws(NetlinkError) {
      socket = try NetlinkSocket<RouteFamily>()
      ipv6 = IPv6Settings()
    }
  }

  /// Opens both worlds of an ADD or a CHECK.
  ///
  /// - Throws: ``ProtocolError`` as ``init(_:)`` does.
  public init(for request: Request) throws(ProtocolError) {
    // Required of these commands by the protocol, so it is there.
    try self.init(request.namespacePath ?? "")
  }

  /// A socket on the host's side alone.
  public static func hostSocket() throws(ProtocolError) -> NetlinkSocket<RouteFamily> {
    do {
      return try NetlinkSocket<RouteFamily>()
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Opens both worlds if there still are two.
  ///
  /// For DEL and CHECK of what may be gone: an empty path, a path that leads nowhere and a path that
  /// holds something other than a network namespace all mean that the container has none.
  ///
  /// - Returns: both worlds, or `nil` when the container's is gone.
  /// - Throws: ``ProtocolError`` when that cannot be told.
  public static func ifPresent(_ path: String?) throws(ProtocolError) -> HostAndContainer? {
    guard let path else { return nil }
    do {
      // Opened twice, which costs a few microseconds; the first time only to ask.
      _ = try NetworkNamespace(path: path)
    } catch  where error.isGone {
      return nil
    } catch {
      throw ProtocolError(unreachable: error)
    }
    do {
      return try HostAndContainer(path)
    } catch  where error.code == .unknownContainer {
      return nil
    }
  }

  private static func open(_ path: String) throws(ProtocolError) -> NetworkNamespace {
    do {
      return try NetworkNamespace(path: path)
    } catch {
      throw ProtocolError(unreachable: error)
    }
  }
}

extension HostAndContainer {
  /// Switches a link of the container on that gets nothing else.
  ///
  /// - Throws: ``ProtocolError`` when the kernel refuses.
  public borrowing func switchOn(_ link: Link) throws(ProtocolError) {
    do {
      try container.setLink(.index(link.index), up: true)
    } catch {
      throw ProtocolError(error, "failed to set \"\(link.name)\" UP")
    }
  }
}

extension SystemError {
  /// Whether a namespace's path leads nowhere, or to something that is no namespace.
  fileprivate var isGone: Bool {
    switch errno {
    case .noEntry, .notDirectory, .invalid, .noProcess, .noDeviceOrAddress: true
    default: false
    }
  }
}
