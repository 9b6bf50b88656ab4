import Addressing
import CNI
import JSON
import Plumbing
import RouteNetlink

/// What the configuration of a macvlan network asks for.
///
/// Keys and defaults are those of upstream's macvlan plugin, version 1.9.1; `enabledad` is ours.
struct MACVLANConfiguration: Sendable {
  /// The link it stands on: keys `master`, `linkInContainer`.
  let master: LowerLinkChoice
  /// Mode and length of the broadcast queue: keys `mode`, `bcqueuelen`.
  let settings: MACVLANSettings
  /// Payload of a frame, the master's unless it is said: key `mtu`.
  let mtu: RequestedMTU
  /// The hardware address asked for: `runtimeConfig.mac`, `CNI_ARGS`, key `mac`.
  let hardwareAddress: HardwareAddress?
  /// Where addresses come from; a network of layer 2 alone has none.
  let addresses: AddressSource
  /// Whether IPv6 addresses wait for duplicate address detection: key `enabledad`, default true,
  /// since others than our pods are on the link.
  let detectsDuplicates: Bool

  init(_ request: Request) throws(ProtocolError) {
    let configuration = request.configuration
    let keys = try configuration.fields.read { fields throws(JSONFieldError) in
      (
        mode: try fields.text("mode") ?? "", address: try fields.text("mac") ?? "",
        queue: try fields.integer("bcqueuelen", as: UInt32.self) ?? 0
      )
    }
    settings = MACVLANSettings(
      try Self.mode(keys.mode), broadcastQueueLength: keys.queue == 0 ? nil : keys.queue)
    master = try LowerLinkChoice(configuration)
    mtu = try RequestedMTU(request)
    let own = keys.address.isEmpty ? nil : keys.address
    let asked = try own.map { text throws(ProtocolError) in
      try RequestedHardwareAddress.parse(text, key: "mac")
    }
    hardwareAddress = try RequestedHardwareAddress.read(from: request) ?? asked
    addresses = try AddressSource(ofIPAM: configuration)
    detectsDuplicates = try configuration.detectsDuplicates(unlessSaid: true)
  }

  private static func mode(_ text: String) throws(ProtocolError) -> MACVLANSettings.Mode {
    switch text {
    case "", "bridge": return .bridge
    case "private": return .isolated
    case "vepa": return .reflected
    case "passthru": return .passThrough
    default:
      throw ProtocolError(
        .invalidConfiguration, "unknown macvlan mode: \"\(text)\"",
        details: "\"mode\" is \"bridge\", \"private\", \"vepa\" or \"passthru\"")
    }
  }
}
