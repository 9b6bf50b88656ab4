import Addressing
import CNI
import JSON
import Plumbing

/// What the configuration of a host-device network asks for.
///
/// Keys and defaults are those of upstream's host-device plugin, version 1.9.1; `enabledad` is ours.
struct HostDeviceConfiguration: Sendable {
  /// The device's name on the host: key `device`.
  let device: InterfaceName?
  /// The device's hardware address: key `hwaddr`.
  let hardwareAddress: HardwareAddress?
  /// A directory below /sys/devices: key `kernelpath`.
  let kernelPath: SysfsPath?
  /// Its number on the PCI bus: key `pciBusID`.
  let pciDevice: DeviceID?
  /// What a device plugin has assigned to the pod, on the PCI or the auxiliary bus:
  /// `runtimeConfig.deviceID`.
  let assigned: DeviceID?
  /// Where addresses come from; without any the device is only switched on.
  let addresses: AddressSource
  /// Whether IPv6 addresses wait for duplicate address detection: key `enabledad`, default true.
  let detectsDuplicates: Bool

  init(_ request: Request) throws(ProtocolError) {
    let configuration = request.configuration
    let fields = configuration.fields
    device = try Self.text("device", in: fields).map { text throws(ProtocolError) in
      do throws(AddressParseError) {
        return try InterfaceName(text)
      } catch {
        throw ProtocolError(error, key: "device")
      }
    }
    hardwareAddress = try Self.text("hwaddr", in: fields).map { text throws(ProtocolError) in
      do throws(AddressParseError) {
        return try HardwareAddress(text)
      } catch {
        throw ProtocolError(
          .invalidConfiguration, "failed to parse MAC address \"\(text)\": \(error)",
          details: "key \"hwaddr\"")
      }
    }
    kernelPath = try Self.text("kernelpath", in: fields).map(SysfsPath.init)
    pciDevice = try Self.text("pciBusID", in: fields).map { text throws(ProtocolError) in
      try DeviceID(text, key: "pciBusID")
    }
    assigned = try Self.text("deviceID", in: try configuration.runtimeConfig.fields)
      .map { text throws(ProtocolError) in
        try DeviceID(text, key: "runtimeConfig.deviceID")
      }
    guard
      device != nil || hardwareAddress != nil || kernelPath != nil || pciDevice != nil
        || assigned != nil
    else {
      throw ProtocolError(
        .invalidConfiguration,
        "specify either \"device\", \"hwaddr\", \"kernelpath\" or \"pciBusID\"",
        details: "or let a device plugin fill in runtimeConfig.deviceID")
    }
    addresses = try AddressSource(ofIPAM: configuration)
    detectsDuplicates = try configuration.detectsDuplicates(unlessSaid: true)
  }

  private static func text(
    _ key: String, in fields: JSONFields
  ) throws(ProtocolError) -> String? {
    let text = try fields.read { fields throws(JSONFieldError) in try fields.text(key) }
    return text?.isEmpty == true ? nil : text
  }
}

/// What a device is called on its bus, such as `0000:00:1f.6`; one part of a path, whatever it says.
struct DeviceID: Hashable, Sendable {
  let text: String

  init(_ text: String, key: String) throws(ProtocolError) {
    let isSafe = text.utf8.allSatisfy { $0 != UInt8(ascii: "/") && $0 > 0x20 && $0 < 0x7f }
    guard isSafe, text != ".", text != "..", text.utf8.count <= 255 else {
      throw ProtocolError(
        .invalidConfiguration, "\(key): \(text.inQuotes) cannot be a device",
        details: "a device on a bus is named as in /sys/bus/pci/devices, such as 0000:00:1f.6")
    }
    self.text = text
  }
}

/// A directory below /sys/devices, without a way up.
struct SysfsPath: Hashable, Sendable {
  let text: String

  init(_ text: String) throws(ProtocolError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard text.hasPrefix("/sys/devices/"), !parts.contains(".."), !text.utf8.contains(0),
      text.utf8.count < 4096
    else {
      throw ProtocolError(
        .invalidConfiguration,
        "kernel device path \(text.inQuotes) must be absolute and begin with /sys/devices/",
        details: "key \"kernelpath\"; it must not lead up again by \"..\"")
    }
    self.text = text
  }
}
