import Addressing
import CNI
import Linux
import Netlink
import Plumbing
import RouteNetlink

extension TuningConfiguration {
  /// Whether nothing is asked for.
  var isEmpty: Bool { settings.isEmpty && link.isEmpty }

  /// Writes the settings and changes the interface.
  ///
  /// - Throws: `ProtocolError` that names the key that the kernel refused.
  func apply(
    to interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    if !settings.isEmpty {
      do {
        try worlds.namespace.run { () throws(ProtocolError) in
          for (setting, text) in settings { try setting.write(text) }
        }
      } catch {
        throw ProtocolError(error)
      }
    }
    let steps = link.steps(for: interface).map { step in
      KernelStep(
        "failed to set \(step.key) of \"\(interface)\" to \(step.value)", step.message)
    }
    try worlds.container.take(steps, orElse: "failed to change \"\(interface)\"")
    if let peerMTU {
      let end = try PeerSize.end(of: interface, for: peerMTU, in: worlds)
      try PeerSize.give(peerMTU, to: end, in: worlds)
    }
  }

  /// Puts what has changed into the result.
  ///
  /// An MTU only where the result told one before: upstream's results tell none.
  func tell(
    _ interface: InterfaceName, _ result: inout PluginResult, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    for place in result.interfaces.indices
    where result.interfaces[place].name == interface.text
      && !result.interfaces[place].sandbox.isEmpty
    {
      if let hardwareAddressText {
        result.interfaces[place].hardwareAddressText = hardwareAddressText
      }
      if let mtu = link.mtu, result.interfaces[place].mtu != nil {
        result.interfaces[place].mtu = mtu.bytes
      }
    }
    guard let peerMTU, let end = try PeerSize.find(interface, in: worlds) else { return }
    for place in result.interfaces.indices
    where result.interfaces[place].name == end.name.text
      && result.interfaces[place].sandbox.isEmpty && result.interfaces[place].mtu != nil
    {
      result.interfaces[place].mtu = peerMTU.bytes
    }
  }

  /// Looks whether settings and interface are as they should be.
  ///
  /// - Throws: `ProtocolError` that names the first difference.
  func check(
    _ interface: InterfaceName, in worlds: borrowing HostAndContainer
  ) throws(ProtocolError) {
    do {
      try worlds.namespace.run { () throws(ProtocolError) in
        for (setting, text) in settings { try setting.check(text) }
      }
    } catch {
      throw ProtocolError(error)
    }
    let found: Link?
    do {
      found = try worlds.container.findLink(named: interface)
    } catch {
      throw ProtocolError(error)
    }
    guard let found else { throw fault("Cannot find container link \(interface)") }
    if let address = link.hardwareAddress, found.hardwareAddress != address {
      throw difference(
        "Ethernet of \(interface)", address, found.hardwareAddress?.description ?? "none")
    }
    if link.isPromiscuous == true, !found.flags.contains(.promiscuous) {
      throw fault("Error: Tuning link \(interface) configured promisc is true, current value is 0")
    }
    if let mtu = link.mtu, found.mtu != mtu.bytes {
      throw difference("MTU of \(interface)", mtu, found.mtu)
    }
    if let peerMTU {
      let end = try PeerSize.end(of: interface, for: peerMTU, in: worlds)
      guard end.mtu == peerMTU.bytes else {
        throw difference("MTU of \(end.name)", peerMTU, end.mtu)
      }
    }
    if let wanted = link.takesAllMulticast, found.flags.contains(.allMulticast) != wanted {
      throw difference("all-multicast mode of \(interface)", wanted, !wanted)
    }
    if let length = link.queueLength, found.queueLength != length {
      throw difference(
        "Transmit Queue Length of \(interface)", length,
        found.queueLength.map(String.init) ?? "none")
    }
  }

  private func difference(_ what: String, _ wanted: Any, _ found: Any) -> ProtocolError {
    fault("Error: Tuning configured \(what) is \(wanted), current value is \(found)")
  }

  private func fault(_ message: String) -> ProtocolError {
    ProtocolError(.internalFailure, message)
  }
}

extension NetworkSetting {
  /// Writes the setting in the thread's namespace.
  fileprivate func write(_ text: String) throws(ProtocolError) {
    do throws(SystemError) {
      try Sysctl.write(name, text)
    } catch {
      throw ProtocolError(
        ProtocolError(error).code, "failed to set sysctl \(key) to \"\(text)\": \(error)")
    }
  }

  /// Compares the setting with what it should be.
  ///
  /// Words are compared, since the kernel separates numbers by tabs that were written with spaces.
  fileprivate func check(_ text: String) throws(ProtocolError) {
    // What the kernel does not show cannot be compared.
    guard let current = try value() else { return }
    func words(_ text: String) -> [Substring] {
      text.split { $0 == " " || $0 == "\t" || $0 == "\n" }
    }
    guard words(current) != words(text) else { return }
    throw ProtocolError(
      .internalFailure,
      "Error: Tuning configured value of \(path) is \(text), current value is \(current)")
  }
}
