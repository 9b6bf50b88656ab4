public import Addressing
public import Linux

/// A zone of firewalld, asked and changed over D-Bus by way of `busctl`.
///
/// A zone says what may come from its sources; `trusted` lets everything through. What is changed
/// here lasts until firewalld is reloaded or ends.
///
/// D-Bus: `org.fedoraproject.FirewallD1.zone`
public struct FirewalldZone: Sendable {
  /// Its name.
  public let name: String
  private let environment: Environment

  /// Names a zone; nothing is asked yet.
  ///
  /// - Parameters:
  ///   - name: the zone's name.
  ///   - environment: where the system bus is, if it is not where it always is:
  ///     `DBUS_SYSTEM_BUS_ADDRESS`. Nothing else of it counts.
  public init(_ name: String, environment: Environment = Environment()) {
    self.name = name
    var variables = ["LC_ALL": "C"]
    variables["DBUS_SYSTEM_BUS_ADDRESS"] = environment["DBUS_SYSTEM_BUS_ADDRESS"]
    self.environment = Environment(variables)
  }

  /// Puts packets from an address into the zone; fine if they are in it.
  ///
  /// - Throws: ``FirewalldError``; refused if they are in another zone.
  public func addSource(_ address: IPAddress) throws(FirewalldError) {
    do {
      _ = try call("addSource", address)
    } catch .refused(let words) where words.hasPrefix("ZONE_ALREADY_SET") {
      return
    }
  }

  /// Takes packets from an address out of the zone; fine if they are not in it.
  ///
  /// - Throws: ``FirewalldError``.
  public func removeSource(_ address: IPAddress) throws(FirewalldError) {
    guard try hasSource(address) else { return }
    do {
      _ = try call("removeSource", address)
    } catch .refused(let words) where words.hasPrefix("UNKNOWN_SOURCE") {
      return
    }
  }

  /// Whether packets from an address are in the zone.
  ///
  /// - Throws: ``FirewalldError``.
  public func hasSource(_ address: IPAddress) throws(FirewalldError) -> Bool {
    try call("querySource", address) == "b true"
  }

  /// Asks whether there is such a zone, and so whether firewalld is there at all.
  ///
  /// - Throws: ``FirewalldError``.
  public func checkReachable() throws(FirewalldError) {
    _ = try call("getSources", nil)
  }
}

extension FirewalldZone {
  private static let service = "org.fedoraproject.FirewallD1"
  private static let object = "/org/fedoraproject/FirewallD1"
  private static let program = "busctl"
  /// How long firewalld may take; it works through its calls one by one.
  private static var timeLimit: Duration { .seconds(30) }

  private func call(_ method: String, _ address: IPAddress?) throws(FirewalldError) -> String {
    var arguments = [
      "--system", "--auto-start=no", "--timeout=25", "call", Self.service, Self.object,
      "\(Self.service).zone", method, address == nil ? "s" : "ss", name,
    ]
    if let address {
      arguments.append("\(address)/\(address.family.bitWidth)")
    }
    let path = try Self.path()
    let outcome: ChildProcess.Outcome
    do {
      outcome = try ChildProcess.run(
        path, arguments: arguments, environment: environment, limits: .init(time: Self.timeLimit))
    } catch {
      throw .system(error)
    }
    guard outcome.isSuccess else { throw Self.refusal(outcome.diagnostics) }
    return String(decoding: outcome.output, as: UTF8.self).trimmed
  }

  private static func path() throws(FirewalldError) -> String {
    for directory in ["/usr/bin", "/bin", "/usr/local/bin"] {
      let path = "\(directory)/\(program)"
      do {
        if try File.status(of: path, followingLink: true)?.kind == .regular { return path }
      } catch {
        // A directory that cannot be looked into has nothing for us.
        continue
      }
    }
    throw .noProgram(program)
  }

  /// Reads what busctl says of a call that failed.
  private static func refusal(_ diagnostics: [UInt8]) -> FirewalldError {
    let words = String(decoding: diagnostics, as: UTF8.self).trimmed
    let noService = [
      "Failed to connect to bus", "Call failed: Name \"\(service)\" does not exist",
      "Call failed: The name \(service) was not provided", "Call failed: Could not activate",
    ]
    if noService.contains(where: words.hasPrefix) { return .notRunning }
    let sign = "Call failed: "
    return .refused(words.hasPrefix(sign) ? String(words.dropFirst(sign.count)) : words)
  }
}

extension String {
  /// Without blanks and line ends at either end.
  fileprivate var trimmed: String {
    let kept = utf8.drop { $0 <= UInt8(ascii: " ") }
    guard let last = kept.lastIndex(where: { $0 > UInt8(ascii: " ") }) else { return "" }
    return String(decoding: kept[...last], as: UTF8.self)
  }
}
