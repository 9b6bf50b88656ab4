import Addressing
import CNI
import JSON
import Linux
import Plumbing

/// What the configuration of a tap network asks for.
///
/// Keys and defaults are those of upstream's tap plugin, version 1.9.1.
struct TapConfiguration: Sendable {
  /// How the device is served: keys `multiQueue`, `owner`, `group`.
  let device: TapDevice.Settings
  /// Payload of a frame, `nil` for what the kernel takes: key `mtu`.
  let mtu: MTU?
  /// The hardware address: `runtimeConfig.mac`, `CNI_ARGS`, key `mac`.
  let hardwareAddress: HardwareAddress?
  /// The bridge in the container that the device becomes a port of: key `bridge`.
  let bridge: InterfaceName?
  /// The IPAM plugin; `nil` makes a network of layer 2 alone.
  let ipamType: String?

  init(_ request: Request) throws(ProtocolError) {
    let fields = request.configuration.fields
    let keys = try fields.read { fields throws(JSONFieldError) in
      (
        multiQueue: try fields.boolean("multiQueue") ?? false,
        owner: try fields.integer("owner", as: UInt32.self),
        group: try fields.integer("group", as: UInt32.self), mac: try fields.text("mac") ?? "",
        bridge: try fields.text("bridge") ?? "",
        label: try fields.text("selinuxContext") ?? ""
      )
    }
    try Self.check(label: keys.label)
    for (key, number) in [("owner", keys.owner), ("group", keys.group)] where number == .max {
      throw ProtocolError(.invalidConfiguration, "\(key): \(UInt32.max) means nobody")
    }
    device = TapDevice.Settings(
      hasManyQueues: keys.multiQueue, owner: keys.owner, group: keys.group)
    mtu = try RequestedMTU(request).mtu
    let own =
      keys.mac.isEmpty
      ? nil : try RequestedHardwareAddress.parse(keys.mac, key: fields.path(of: "mac"))
    hardwareAddress = try RequestedHardwareAddress.read(from: request) ?? own
    bridge = try Self.bridge(keys.bridge)
    ipamType = try request.configuration.ipamType
  }

  private static func bridge(_ text: String) throws(ProtocolError) -> InterfaceName? {
    guard !text.isEmpty else { return nil }
    do {
      return try InterfaceName(text)
    } catch {
      throw ProtocolError(error, key: "bridge")
    }
  }

  /// Refuses a security context: a device has that of the program that makes it, so a program of
  /// its own would have to be started for it.
  private static func check(label: String) throws(ProtocolError) {
    guard label.isEmpty else {
      throw ProtocolError(
        .unsupportedField, "selinuxContext: \"\(label)\" cannot be given to the device",
        details: "leave the key out; the device has the context of the container runtime")
    }
  }
}
