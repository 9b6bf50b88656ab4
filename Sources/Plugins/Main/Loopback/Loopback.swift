internal import Addressing
public import CNI
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// Switches on the loopback interface of a container.
///
/// It has no keys of its own, and the interface is `lo` whatever the runtime calls it.
public enum Loopback: Plugin {
  /// `loopback`.
  public static let name = "loopback"

  /// Switches `lo` on and tells its addresses; an earlier result passes through.
  ///
  /// - Parameter request: what is asked.
  /// - Returns: the earlier result, or one of `lo` and its addresses.
  /// - Throws: `ProtocolError` when `lo` has an address that is no loopback address; then nothing
  ///   has been changed.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let previous = try request.previousResult()
    let worlds = try HostAndContainer(for: request)
    let loopback = try LoopbackLink(in: worlds)
    try loopback.refuseOtherAddresses(in: worlds)
    try loopback.set(up: true, in: worlds)
    if let previous { return previous }
    return try loopback.result(in: worlds)
  }

  /// Switches `lo` off if there still is one.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: `ProtocolError` when the kernel refuses.
  public static func delete(_ request: Request) throws(ProtocolError) {
    guard let worlds = try HostAndContainer.ifPresent(request.namespacePath) else { return }
    try LoopbackLink(in: worlds).set(up: false, in: worlds)
  }

  /// Asks whether `lo` is on.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: `ProtocolError` when it is off.
  public static func check(_ request: Request) throws(ProtocolError) {
    let worlds = try HostAndContainer(for: request)
    guard try LoopbackLink(in: worlds).link.isUp else {
      throw ProtocolError(.internalFailure, "loopback interface is down")
    }
  }

  /// Switches `lo` on again.
  ///
  /// - Parameter request: what is asked.
  /// - Throws: `ProtocolError` when the kernel refuses.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let worlds = try HostAndContainer(for: request)
    try LoopbackLink(in: worlds).set(up: true, in: worlds)
  }
}
