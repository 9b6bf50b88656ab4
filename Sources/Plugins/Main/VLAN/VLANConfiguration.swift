import Addressing
import CNI
import JSON
import Plumbing

/// What the configuration of a vlan network asks for.
///
/// Keys and defaults are those of upstream's vlan plugin, version 1.9.1; `enabledad` is ours.
struct VLANConfiguration: Sendable {
  /// The link it stands on: keys `master`, `linkInContainer`.
  let master: LowerLinkChoice
  /// The number that frames bear on the master: key `vlanId`.
  let number: UInt16
  /// Payload of a frame, the master's unless it is said: key `mtu`.
  let mtu: RequestedMTU
  /// Where addresses come from.
  let addresses: AddressSource
  /// Whether IPv6 addresses wait for duplicate address detection: key `enabledad`, default true.
  let detectsDuplicates: Bool

  init(_ request: Request) throws(ProtocolError) {
    let configuration = request.configuration
    master = try LowerLinkChoice(configuration)
    guard master.name != nil else {
      throw ProtocolError(
        .invalidConfiguration,
        "\"master\" field is required. It specifies the host interface name to create the VLAN for")
    }
    let key = try configuration.fields.read { fields throws(JSONFieldError) in
      try fields.integer("vlanId") ?? 0
    }
    guard 0...4094 ~= key else {
      throw ProtocolError(
        .invalidConfiguration, "invalid VLAN ID \(key) (must be between 0 and 4094 inclusive)",
        details: "key \"vlanId\"")
    }
    number = UInt16(key)
    mtu = try RequestedMTU(request)
    guard let type = try configuration.ipamType else {
      throw ProtocolError(
        .invalidConfiguration, "no plugin name provided",
        details: "vlan needs addresses: name an IPAM plugin under \"ipam.type\"")
    }
    addresses = .delegate(type)
    detectsDuplicates = try configuration.detectsDuplicates(unlessSaid: true)
  }
}
