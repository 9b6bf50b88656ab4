/// Who a client is, and what it says and asks in all its messages.
public struct DHCPIdentity: Hashable, Sendable {
  /// The bytes of option 61: a type, then the name.
  public var clientIdentifier: [UInt8]
  /// Options that are sent along, in this order; option 61 here replaces the identifier.
  public var provided: [(option: DHCPOption, value: [UInt8])]
  /// What the server is asked to tell, in this order. Option 55
  public var requested: [DHCPOption]
  /// Whether servers shall answer to all hosts of the link.
  public var wantsBroadcast: Bool

  /// A client.
  public init(
    clientIdentifier: [UInt8], provided: [(option: DHCPOption, value: [UInt8])] = [],
    requested: [DHCPOption] = [], wantsBroadcast: Bool = false
  ) {
    self.clientIdentifier = clientIdentifier
    self.provided = provided
    self.requested = requested
    self.wantsBroadcast = wantsBroadcast
  }

  /// The identifier of upstream's clients: a zero for "no hardware type", and a name.
  public static func identifier(_ name: String) -> [UInt8] {
    [0] + Array(name.utf8)
  }

  /// Whether both say the same.
  public static func == (left: DHCPIdentity, right: DHCPIdentity) -> Bool {
    left.clientIdentifier == right.clientIdentifier && left.requested == right.requested
      && left.wantsBroadcast == right.wantsBroadcast
      && left.provided.elementsEqual(right.provided) { $0 == $1 }
  }

  /// Feeds what tells clients apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(clientIdentifier)
  }
}
