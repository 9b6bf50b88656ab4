internal import Addressing

extension DHCPIdentity {
  /// A message to find a server or to ask one for a lease, with what the client is and wants.
  func message(
    _ kind: DHCPMessage.Kind, transaction: UInt32, from hardwareAddress: HardwareAddress
  ) -> DHCPMessage {
    var message = DHCPMessage(kind, transaction: transaction, from: hardwareAddress)
    message.wantsBroadcast = wantsBroadcast
    message.options[.clientIdentifier] = clientIdentifier
    for (option, value) in provided { message.options[option] = value }
    message.options[.maximumMessageSize] = UInt16(1500).bytes
    message.options[.parameterRequestList] = requested.isEmpty ? nil : requested.map(\.rawValue)
    return message
  }

  /// A message that gives a lease back; it names the client as the request for the lease did.
  func release(
    of lease: DHCPLease, transaction: UInt32, from hardwareAddress: HardwareAddress
  ) -> DHCPMessage {
    var message = DHCPMessage(.release, transaction: transaction, from: hardwareAddress)
    message.clientAddress = lease.address
    message.options[.serverIdentifier] = lease.server.bytes
    message.options[.clientIdentifier] =
      provided.last { $0.option == .clientIdentifier }?.value ?? clientIdentifier
    return message
  }
}
