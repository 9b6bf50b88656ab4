public import Addressing
public import CNI
public import RouteNetlink

extension ResultInterface {
  /// A link as a result tells it.
  ///
  /// - Parameters:
  ///   - link: the link.
  ///   - sandbox: the path of the namespace it is in; empty for one of the host.
  public init(_ link: Link, sandbox: String = "") {
    self.init(
      name: link.name.text, hardwareAddress: link.hardwareAddress, mtu: link.mtu, sandbox: sandbox)
  }
}

extension PluginResult {
  /// The first address of each family that the container has on an interface, or that the result has
  /// without saying where.
  ///
  /// - Parameter interface: the interface inside the container.
  /// - Returns: one of a family at most, IPv4 first.
  public func podAddresses(on interface: InterfaceName) -> [InterfaceAddress] {
    IPFamily.allCases.compactMap { family in
      addresses.first { address in
        guard address.address.family == family else { return false }
        guard let place = address.interface, interfaces.indices.contains(place) else { return true }
        return interfaces[place].name == interface.text && !interfaces[place].sandbox.isEmpty
      }?.address
    }
  }
}
