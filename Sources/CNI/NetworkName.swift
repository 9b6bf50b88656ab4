/// The name of a network, as its configuration gives it.
///
/// It becomes part of paths and hashes, so it is valid or it does not exist; the rule is that of
/// ``ContainerID``.
public struct NetworkName: Hashable, Sendable, CustomStringConvertible {
  /// The name itself.
  public let text: String

  /// Takes a name by the specification's rule.
  ///
  /// - Throws: ``ProtocolError`` of code 7.
  public init(_ text: String) throws(ProtocolError) {
    guard !text.isEmpty else {
      throw ProtocolError(.invalidConfiguration, "missing network name")
    }
    guard isIdentifier(text) else {
      throw ProtocolError(
        .invalidConfiguration, "invalid characters found in network name", details: text)
    }
    self.text = text
  }

  /// The name itself.
  public var description: String { text }
}
