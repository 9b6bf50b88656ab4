public import Addressing

/// One attachment of a container, by the names that its runtime uses.
///
/// They become names of files, so they are fit for that or do not exist.
public struct EndpointOwner: Hashable, Sendable, CustomStringConvertible {
  /// The network.
  public let network: String
  /// The container.
  public let container: String
  /// The interface inside it.
  public let interface: String

  /// Takes names that are valid for CNI; nil if one could not be part of a path.
  public init?(network: String, container: String, interface: String) {
    guard [network, container, interface].allSatisfy(Self.isFitForPath) else { return nil }
    self.network = network
    self.container = container
    self.interface = interface
  }

  /// Network, container and interface.
  public var description: String { "\(network) \(container) \(interface)" }

  /// The name of its file in the directory of the network: `container-interface.json`.
  ///
  /// A dash in the interface's name is written `%2d`, so that the last dash parts the two.
  var fileName: String {
    let name = interface.split(separator: "-", omittingEmptySubsequences: false)
    return "\(container)-\(name.joined(separator: "%2d")).json"
  }

  /// Reads the name of a file; nil if it is none of these.
  init?(network: String, fileName: String) {
    guard fileName.hasSuffix(".json") else { return nil }
    let stem = fileName.dropLast(5)
    guard let dash = stem.lastIndex(of: "-") else { return nil }
    var interface = ""
    var rest = stem[stem.index(after: dash)...]
    while let first = rest.first {
      let isDash = rest.hasPrefix("%2d")
      interface.append(isDash ? "-" : first)
      rest = rest.dropFirst(isDash ? 3 : 1)
    }
    self.init(network: network, container: String(stem[..<dash]), interface: interface)
  }

  private static func isFitForPath(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.first != UInt8(ascii: ".")
      && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7f }
  }
}

/// What answers for a service: a pod of this node, or an entry of an endpoint slice.
public struct ServiceEndpoint: Hashable, Sendable {
  /// How we know of it.
  public var origin: Origin
  /// Its addresses, one of a family.
  public var addresses: [IPAddress]
  /// Its ports by name.
  public var ports: Ports
  /// Its share; nil for what the service says.
  public var weight: UInt16?
  /// Whether it is on this node.
  public var isLocal: Bool
  /// Whether it takes connections.
  public var readiness: Readiness
  /// Its labels, for shares by label.
  public var labels: [String: String]

  /// How we know of an endpoint.
  public enum Origin: Hashable, Sendable {
    /// A plugin has added it.
    case attachment(EndpointOwner)
    /// A slice of this name says so.
    case slice(String)
  }

  /// The ports of an endpoint.
  public enum Ports: Hashable, Sendable {
    /// A pod's, by the names that its owner gave them.
    case named([String: UInt16])
    /// A slice's, by the names of the service's ports.
    case ofService([EndpointSlice.Port])
  }

  /// The port that one of the service's leads to; nil if this endpoint does not have it.
  func port(for port: ServicePort) -> UInt16? {
    switch ports {
    case .named(let names):
      switch port.target {
      case .number(let number): return number
      case .name(let name): return names[name]
      }
    case .ofService(let list):
      return list.first { $0.name == port.name && $0.transport == port.transport }?.number
    }
  }
}

extension ServiceEndpoint {
  /// The entries of a slice, as this node sees them.
  static func all(of slice: EndpointSlice, node: String) -> [ServiceEndpoint] {
    slice.endpoints.map { endpoint in
      ServiceEndpoint(
        origin: .slice(slice.name), addresses: [endpoint.address], ports: .ofService(slice.ports),
        weight: slice.weight, isLocal: endpoint.node == node, readiness: endpoint.readiness,
        labels: [:])
    }
  }
}
