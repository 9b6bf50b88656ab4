import Addressing
import CNI
import JSON
import Plumbing
import RouteNetlink

/// What the configuration of an ipvlan network asks for.
///
/// Keys and defaults are those of upstream's ipvlan plugin, version 1.9.1; `enabledad` is ours.
struct IPVLANConfiguration: Sendable {
  /// The link it stands on: keys `master`, `linkInContainer`.
  let master: LowerLinkChoice
  /// Where frames are told apart: key `mode`.
  let mode: IPVLANSettings.Mode
  /// Payload of a frame, the master's unless it is said: key `mtu`.
  let mtu: RequestedMTU
  /// Where addresses come from: the IPAM plugin, or the plugin before this one in the chain.
  let addresses: AddressSource
  /// Whether IPv6 addresses wait for duplicate address detection: key `enabledad`, default true; in
  /// the modes of layer 3 there is nobody to ask.
  let detectsDuplicates: Bool

  /// Reads the keys.
  ///
  /// - Parameters:
  ///   - request: what is asked.
  ///   - previous: what the plugins before this one have left.
  /// - Throws: `ProtocolError`, code 7, that names the key.
  init(_ request: Request, after previous: PluginResult? = nil) throws(ProtocolError) {
    let configuration = request.configuration
    mode = try Self.mode(configuration)
    mtu = try RequestedMTU(request)
    var master = try LowerLinkChoice(configuration)
    // In a CHECK it is the result of this very plugin, and names what it has made.
    if master.name == nil, request.command == .add, let previous {
      master.name = try Self.only(in: previous)
    }
    self.master = master
    addresses = try Self.addresses(configuration, previous)
    let asks = try configuration.detectsDuplicates(unlessSaid: true)
    detectsDuplicates = asks && mode == .l2
  }

  /// The mode alone, which is all that STATUS can know of a plugin in a chain.
  static func mode(
    _ configuration: NetworkConfiguration
  ) throws(ProtocolError) -> IPVLANSettings.Mode {
    let text = try configuration.fields.read { fields throws(JSONFieldError) in
      try fields.text("mode") ?? ""
    }
    switch text {
    case "", "l2": return .l2
    case "l3": return .l3
    case "l3s": return .l3s
    default:
      throw ProtocolError(
        .invalidConfiguration, "unknown ipvlan mode: \"\(text)\"",
        details: "\"mode\" is \"l2\", \"l3\" or \"l3s\"")
    }
  }

  /// The link that a chained ipvlan stands on when it is not told.
  private static func only(in previous: PluginResult) throws(ProtocolError) -> InterfaceName {
    let fault = ProtocolError(
      .invalidConfiguration, "chained master failure. PrevResult lacks a single named interface",
      details: "name the link to stand on under \"master\"")
    guard previous.interfaces.count == 1 else { throw fault }
    do {
      return try InterfaceName(previous.interfaces[0].name)
    } catch {
      throw fault
    }
  }

  private static func addresses(
    _ configuration: NetworkConfiguration, _ previous: PluginResult?
  ) throws(ProtocolError) -> AddressSource {
    if let type = try configuration.ipamType { return .delegate(type) }
    if let previous, !previous.addresses.isEmpty { return .earlier(previous) }
    throw ProtocolError(
      .invalidConfiguration, "no plugin name provided",
      details: "ipvlan needs addresses: name an IPAM plugin under \"ipam.type\", or let a plugin "
        + "before it in the chain give them")
  }
}
