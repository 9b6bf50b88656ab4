public import CNI

/// Where the addresses of a container's interface come from.
public enum AddressSource: Sendable {
  /// It gets none: a network of layer 2 alone.
  case none
  /// From the IPAM plugin of this name.
  case delegate(String)
  /// From the plugin before this one in the chain, which has left the interface to this one.
  case earlier(PluginResult)

  /// The IPAM plugin that the configuration names, or nobody.
  ///
  /// - Throws: ``ProtocolError`` for a name of the wrong kind.
  public init(ofIPAM configuration: NetworkConfiguration) throws(ProtocolError) {
    self = try configuration.ipamType.map(AddressSource.delegate) ?? .none
  }

  /// Asks the IPAM plugin, if there is one, whether all is as its ADD left it.
  public func check(_ request: Request) throws(ProtocolError) {
    if case .delegate(let type) = self { try request.delegateCheck(to: type) }
  }

  /// Lets the IPAM plugin, if there is one, put back what its ADD left.
  public func repair(_ request: Request) throws(ProtocolError) {
    if case .delegate(let type) = self { try request.delegateRepair(to: type) }
  }

  /// Asks the IPAM plugin, if there is one, whether it could give addresses now.
  public func status(_ request: Request) throws(ProtocolError) {
    if case .delegate(let type) = self { try request.delegateStatus(to: type) }
  }
}
