import Addressing
import CNI
import JSON
import RouteNetlink

/// What the configuration asks for.
///
/// Keys and defaults are those of upstream's vrf plugin, version 1.9.1.
struct VRFConfiguration: Sendable {
  /// The VRF that the interface joins: key `vrfname`.
  let name: InterfaceName
  /// The VRF's table, `nil` for one that is free: key `table`, 0 for the same.
  let table: RouteTable?

  init(_ request: Request) throws(ProtocolError) {
    let keys = try request.configuration.fields.read { fields throws(JSONFieldError) in
      (try fields.text("vrfname") ?? "", try fields.integer("table", as: UInt32.self) ?? 0)
    }
    guard !keys.0.isEmpty else {
      throw ProtocolError(
        .invalidConfiguration, "configuration is expected to have a valid vrf name",
        details: "\"vrfname\" names the VRF that the interface joins")
    }
    do {
      name = try InterfaceName(keys.0)
    } catch {
      throw ProtocolError(error, key: "vrfname")
    }
    guard !RouteTable.reserved.contains(keys.1) else {
      throw ProtocolError(
        .invalidConfiguration, "table: \(keys.1) is the kernel's own",
        details: "253 is the default table, 254 the main and 255 the local one")
    }
    table = keys.1 == 0 ? nil : RouteTable(rawValue: keys.1)
  }
}
