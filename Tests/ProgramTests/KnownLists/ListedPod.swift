import Addressing
import CNI
import CNIRuntime
import JSON
import TestSupport
import Witness

/// A pod with a server for each family, and what the runtime says about it.
final class ListedPod {
  let number: Int
  let namespace: FreshNamespace
  /// A server at all addresses of the family, on a port of its own.
  let servers: [IPFamily: Listener]
  let list: KnownList
  /// What its networks gave it, the loopback's aside.
  private(set) var addresses: [IPAddress] = []
  /// Those of them that the host can speak to.
  private(set) var addressesForHost: [IPAddress] = []

  init(_ number: Int, of list: KnownList) throws {
    let namespace = try FreshNamespace()
    servers = [
      .v4: try Listener(.tcp, in: namespace, at: "0.0.0.0"),
      .v6: try Listener(.tcp, in: namespace, at: "::"),
    ]
    self.namespace = namespace
    self.number = number
    self.list = list
  }

  /// Which port of the host leads to a server.
  func hostPort(_ family: IPFamily) -> UInt16 {
    UInt16((family == .v4 ? 8080 : 9080) + number)
  }

  /// Everything that is said about one of its interfaces; without a namespace once it is gone.
  func arguments(
    _ network: KnownList.Network, hasNamespace: Bool = true
  ) throws -> AttachmentArguments {
    var capabilities = network.wishes(number)
    if network.interface == "eth0", !list.transports.isEmpty {
      capabilities["portMappings"] = list.mappings(
        [IPFamily.v4, .v6].map { (hostPort($0), servers[$0]?.port ?? 0) })
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

  /// Whom one of its servers hears when somebody speaks to an address; nil for nobody.
  func hears(
    _ speaker: borrowing FreshNamespace, speakingTo address: String, port: UInt16? = nil,
    _ family: IPFamily
  ) throws -> String? {
    guard let server = servers[family] else { return nil }
    return try server.source(of: speaker, speakingTo: address, port: port ?? server.port)
  }
}
