public import Addressing
public import CNI
public import JSON

/// What a runtime says about one interface of one container.
public struct AttachmentArguments: Hashable, Sendable {
  /// Whose interface it is.
  public var container: ContainerID
  /// The path of the container's network namespace; empty when it is gone.
  public var namespacePath: String
  /// The interface's name inside the container.
  public var interface: InterfaceName
  /// Wishes for all plugins, in order.
  ///
  /// Specification: `CNI_ARGS`.
  public var arguments: [Pair]
  /// Wishes for the plugins that declare the capability of the same name.
  ///
  /// Specification: `runtimeConfig`.
  public var capabilities: JSONObject

  /// A key with its value.
  public struct Pair: Hashable, Sendable {
    /// The key.
    public let key: String
    /// The value.
    public let value: String

    /// A key with its value.
    public init(_ key: String, _ value: String) {
      self.key = key
      self.value = value
    }
  }

  /// One interface of one container.
  public init(
    container: ContainerID, namespacePath: String, interface: InterfaceName,
    arguments: [Pair] = [], capabilities: JSONObject = [:]
  ) {
    self.container = container
    self.namespacePath = namespacePath
    self.interface = interface
    self.arguments = arguments
    self.capabilities = capabilities
  }

  /// The attachment it is on a network.
  public func attachment(to network: NetworkName) -> Attachment {
    Attachment(network: network, container: container, interface: interface)
  }
}

extension [AttachmentArguments.Pair] {
  /// Reads `K=V;K=V`, each pair with exactly one `=` and something on both sides.
  ///
  /// - Parameter text: the value of `CNI_ARGS`; empty for no pairs.
  /// - Throws: ``ProtocolError`` of code 4.
  public init(commandArguments text: String) throws(ProtocolError) {
    self = []
    guard !text.isEmpty else { return }
    for pair in text.split(separator: ";", omittingEmptySubsequences: false) {
      let sides = pair.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty, !sides[1].isEmpty else {
        throw ProtocolError(
          .invalidEnvironment, "invalid CNI_ARGS pair \(String(pair).inQuotes)",
          details: "it is written KEY=VALUE;KEY=VALUE")
      }
      append(AttachmentArguments.Pair(String(sides[0]), String(sides[1])))
    }
  }

  /// Written as plugins read it.
  var commandArguments: String {
    map { "\($0.key)=\($0.value)" }.joined(separator: ";")
  }
}
