public import Addressing

/// One interface of one container on one network: what every piece of host state is keyed by.
public struct Attachment: Hashable, Sendable {
  /// The network.
  public let network: NetworkName
  /// The container.
  public let container: ContainerID
  /// The interface's name inside the container.
  public let interface: InterfaceName

  /// One interface of one container on one network.
  public init(network: NetworkName, container: ContainerID, interface: InterfaceName) {
    self.network = network
    self.container = container
    self.interface = interface
  }

  /// The attachment as GC lists it, where the network is understood.
  public var withoutNetwork: ValidAttachment {
    ValidAttachment(container: container, interface: interface)
  }
}

extension Attachment: CustomStringConvertible {
  /// Network, container and interface, for messages.
  public var description: String { "\(network) \(container) \(interface)" }
}
