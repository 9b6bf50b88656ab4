import Addressing
import CNI
import CNIRuntime
import JSON
import TestSupport
import Witness

/// A pod with a server, and what the runtime says about it.
final class ListedPod {
  let number: Int
  let namespace: FreshNamespace
  /// A server at all addresses of both families.
  let server: Listener
  let list: KnownList
  /// What its networks gave it, the loopback's aside.
  private(set) var addresses: [IPAddress] = []
  /// Those of them that the host can speak to.
  private(set) var addressesForHost: [IPAddress] = []

  init(_ number: Int, of list: KnownList) throws {
    let namespace = try FreshNamespace()
    server = try Listener(.tcp, in: namespace, at: "::")
    self.namespace = namespace
    self.number = number
    self.list = list
  }

  /// Which port of the host leads to the server.
  var hostPort: UInt16 { UInt16(8080 + number) }

  /// Everything that is said about one of its interfaces; without a namespace once it is gone.
  func arguments(
    _ network: KnownList.Network, hasNamespace: Bool = true
  ) throws -> AttachmentArguments {
    var capabilities = network.wishes(number)
    if network.interface == "eth0", !list.transports.isEmpty {
      capabilities["portMappings"] = list.mapping(of: hostPort, to: server.port)
    }
    return AttachmentArguments(
      container: try ContainerID(list.container(number)),
      namespacePath: hasNamespace ? namespace.path : "",
      interface: try InterfaceName(network.interface),
      arguments: try Array(commandArguments: list.arguments(number)), capabilities: capabilities)
  }

  /// Notes what a network gave.
  func note(_ result: PluginResult, of network: KnownList.Network) {
    guard network.interface != "lo" else { return }
    addresses += result.addresses.map(\.address.address)
    if network.isReachedByHost { addressesForHost += result.addresses.map(\.address.address) }
  }

  /// The text of its addresses, and of the hardware addresses of its interfaces.
  func traits() throws -> [String] {
    let links = try namespace.run { try Witness.links() }
    return addresses.map(\.description) + links.map(\.hardwareAddress)
  }

  /// Whom the server hears when somebody speaks to an address; nil for nobody.
  func hears(
    _ speaker: borrowing FreshNamespace, speakingTo address: String, port: UInt16? = nil
  ) throws -> String? {
    let source = try server.source(of: speaker, speakingTo: address, port: port ?? server.port)
    // As IPv6 tells of IPv4.
    let mapped = "::ffff:"
    return source.map { $0.hasPrefix(mapped) ? String($0.dropFirst(mapped.count)) : $0 }
  }
}
