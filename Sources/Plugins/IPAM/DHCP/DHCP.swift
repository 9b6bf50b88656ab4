public import CNI
internal import JSON

/// `dhcp`: lets a daemon on this host lease addresses for containers from DHCP servers.
///
/// The daemon is the same program, started as `dhcp daemon`: leases must be renewed while no plugin
/// runs.
public enum DHCP: Plugin {
  /// The name on `CNI_PATH`.
  public static let name = "dhcp"

  /// Lets the daemon lease an address over the container's interface, which must be there.
  public static func add(_ request: Request) throws(ProtocolError) -> PluginResult {
    let order = try DHCPOrder(request)
    _ = try order.settings()
    guard let answer = try DaemonCall.ask(order, at: try DaemonCall.path(request), "Allocate")
    else { throw ProtocolError(.internalFailure, "the DHCP daemon's answer has no result") }
    return try PluginResult(printed: answer, orElse: .newest)
  }

  /// Lets the daemon give the lease back; an attachment without one is no error.
  public static func delete(_ request: Request) throws(ProtocolError) {
    try DaemonCall.ask(try DHCPOrder(request), at: try DaemonCall.path(request), "Release")
  }

  /// Throws when the daemon holds no lease for the attachment, or another address than ADD gave.
  public static func check(_ request: Request) throws(ProtocolError) {
    let order = try DHCPOrder(request)
    let answer = try DaemonCall.ask(order, at: try DaemonCall.path(request), "Allocate")
    if let answer { try compare(answer, request) }
  }

  /// Lets the daemon lease the container's address again if it holds no lease for it any more.
  ///
  /// - Throws: `ProtocolError` when the server gives another address by now, which is given back.
  public static func repair(_ request: Request) throws(ProtocolError) {
    let path = try DaemonCall.path(request)
    func ask(_ command: Command, _ method: String) throws(ProtocolError) -> JSONObject? {
      try DaemonCall.ask(try DHCPOrder(request, as: command), at: path, method)
    }
    do throws(ProtocolError) {
      guard let held = try ask(.check, "Allocate") else { return }
      return try compare(held, request)
    } catch  where error.code == .internalFailure && error.details == DHCPDaemon.lost {
      // It is leased anew.
    }
    guard let leased = try ask(.add, "Allocate") else { return }
    do throws(ProtocolError) {
      try compare(leased, request)
    } catch {
      _ = try ask(.delete, "Release")
      throw error
    }
  }

  /// Throws when the daemon's lease is for an address that ADD did not tell.
  private static func compare(_ answer: JSONObject, _ request: Request) throws(ProtocolError) {
    guard let told = try request.previousResult() else { return }
    let leased = try PluginResult(printed: answer, orElse: .newest).addresses.map(\.address)
    for address in leased where !told.addresses.contains(where: { $0.address == address }) {
      throw ProtocolError(
        .internalFailure, "dhcp: the lease is now for \(address), which ADD did not tell",
        details: "a server has given another address since; delete and add the container")
    }
  }

  /// Lets the daemon give back every lease of this network but those of the valid attachments.
  public static func collectGarbage(
    _ request: Request, keeping valid: Set<ValidAttachment>
  ) throws(ProtocolError) {
    let order = try DHCPOrder(request, keeping: valid)
    try DaemonCall.ask(order, at: try DaemonCall.path(request), "Release")
  }

  /// Throws code 50 when no daemon answers or the configuration cannot be served.
  public static func status(_ request: Request) throws(ProtocolError) {
    do throws(ProtocolError) {
      let ipam = try request.configuration.ipam ?? JSONFields([:], path: "ipam")
      _ = try DHCPConfiguration(ipam, arguments: "")
      try DaemonCall.ask(try DHCPOrder(request), at: try DaemonCall.path(request), "Allocate")
    } catch {
      throw ProtocolError(.notReady, error.message, details: error.details)
    }
  }

  /// Becomes the daemon when the first word is `daemon`.
  public static func serve(_ words: [String]) -> Int32? {
    guard words.first == "daemon" else { return nil }
    return DHCPDaemon.run(Array(words.dropFirst()))
  }
}
