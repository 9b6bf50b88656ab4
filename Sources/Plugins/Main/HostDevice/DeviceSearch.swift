import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

/// A device of the host, as the configuration leads to it.
enum HostDeviceFound: Sendable {
  /// The kernel drives it: a link, and what it is called on the PCI bus if that was told.
  case link(Link, pci: DeviceID?)
  /// A program drives it, so there is no link (DPDK).
  case userSpace(DeviceID)
}

extension HostDeviceConfiguration {
  /// Finds the device.
  ///
  /// - Throws: `ProtocolError` when there is none, or it has no link.
  func find(_ host: borrowing RouteSocket) throws(ProtocolError) -> HostDeviceFound {
    do throws(ProtocolError) {
      let bus = try resolveAssigned()
      if let pci = bus.pci, try isDrivenByProgram(pci) { return .userSpace(pci) }
      return .link(try link(bus, host), pci: bus.pci)
    } catch {
      throw ProtocolError(
        error.code, "failed to find host device: \(error.message)", details: error.details)
    }
  }

  /// Whether a program drives the device, as far as it is told by its place on the PCI bus.
  var isDrivenByProgram: Bool {
    get throws(ProtocolError) {
      guard let pci = try resolveAssigned().pci else { return false }
      return try isDrivenByProgram(pci)
    }
  }

  /// The device's place on either bus.
  private struct Bus {
    var pci: DeviceID?
    var auxiliary: DeviceID?
  }

  private static var pciDevices: String { "/sys/bus/pci/devices" }
  private static var auxiliaryDevices: String { "/sys/bus/auxiliary/devices" }

  /// Finds out on which bus the assigned device is; it goes before `pciBusID`.
  private func resolveAssigned() throws(ProtocolError) -> Bus {
    guard let assigned else { return Bus(pci: pciDevice) }
    do throws(SystemError) {
      if try File.status(of: "\(Self.pciDevices)/\(assigned.text)") != nil {
        return Bus(pci: assigned)
      }
      if try File.status(of: "\(Self.auxiliaryDevices)/\(assigned.text)") != nil {
        return Bus(auxiliary: assigned)
      }
    } catch {
      throw ProtocolError(error)
    }
    throw ProtocolError(
      .invalidConfiguration,
      "runtime config DeviceID \(assigned.text) not found or unsupported",
      details: "it is neither in \(Self.pciDevices) nor in \(Self.auxiliaryDevices)")
  }

  private func isDrivenByProgram(_ pci: DeviceID) throws(ProtocolError) -> Bool {
    let link = "\(Self.pciDevices)/\(pci.text)/driver"
    let target: String?
    do {
      target = try File.target(ofLink: link)
    } catch {
      throw ProtocolError(error)
    }
    guard let driver = target?.split(separator: "/").last else {
      throw ProtocolError(
        .internalFailure, "PCI device \(pci.text) has no driver",
        details: "\(link) does not exist: bind the device to a driver")
    }
    return ["vfio-pci", "uio_pci_generic", "igb_uio"].contains(driver)
  }

  private func link(
    _ bus: Bus, _ host: borrowing RouteSocket
  ) throws(ProtocolError) -> Link {
    do throws(NetlinkError) {
      if let device { return try host.link(named: device) }
      if let hardwareAddress {
        let links = try host.links()
        if let found = links.first(where: { $0.hardwareAddress == hardwareAddress }) {
          return found
        }
      }
    } catch {
      throw ProtocolError(error)
    }
    if hardwareAddress != nil { throw nowhere("no link of the host has this \"hwaddr\"") }
    let name = try nameInSysfs(bus)
    do {
      return try host.link(named: name)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// The link that the kernel shows below a device.
  private func nameInSysfs(_ bus: Bus) throws(ProtocolError) -> InterfaceName {
    if let kernelPath { return try firstEntry(of: "\(kernelPath.text)/net") }
    if let auxiliary = bus.auxiliary {
      return try firstEntry(of: "\(Self.auxiliaryDevices)/\(auxiliary.text)/net")
    }
    guard let pci = bus.pci else { throw nowhere("the configuration names none") }
    let device = "\(Self.pciDevices)/\(pci.text)"
    let parts = try entries(of: device)
    if parts.contains("net") { return try firstEntry(of: "\(device)/net") }
    // A virtual card's link hangs below the virtio device, not below the PCI device.
    for part in parts where part.hasPrefix("virtio") {
      return try firstEntry(of: "\(device)/\(part)/net")
    }
    throw ProtocolError(
      .internalFailure, "no net directory under pci device \(pci.text)",
      details: "it is no network card, or its link is in a container already")
  }

  private func firstEntry(of directory: String) throws(ProtocolError) -> InterfaceName {
    guard let name = try entries(of: directory).first else {
      throw ProtocolError(
        .internalFailure, "failed to find network device in path \(directory)",
        details: "its link may be in a container already")
    }
    do {
      return try InterfaceName(name)
    } catch {
      throw ProtocolError(error, key: directory)
    }
  }

  private func entries(of directory: String) throws(ProtocolError) -> [String] {
    do {
      return try Directory.entries(of: directory)
    } catch {
      throw ProtocolError(
        .internalFailure, "failed to read directory \(directory): \"\(error)\"")
    }
  }

  private func nowhere(_ reason: String) -> ProtocolError {
    ProtocolError(.internalFailure, "failed to find physical interface", details: reason)
  }
}
