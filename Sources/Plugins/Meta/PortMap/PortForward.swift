import Addressing
import CNI

/// A port of the host that leads to one of a pod, in one family.
struct PortForward: Hashable, Sendable {
  let transport: Transport
  let hostPort: UInt16
  /// The host's address it is for; nil for all of the family.
  let hostAddress: IPAddress?
  /// The pod's address, and how long its subnet's prefix is.
  let pod: InterfaceAddress
  let podPort: UInt16

  var family: IPFamily { pod.family }

  /// Whether the host reaches it at its loopback address.
  var isOnLoopback: Bool { hostAddress?.isLoopback ?? true }

  /// Whether a flow was sent to this port, as far as the flow alone can tell.
  func isSent(to address: IPAddress) -> Bool {
    hostAddress == nil || hostAddress == address
  }

  /// `tcp port 8080` or `tcp port 8080 of 192.0.2.1`.
  var hostText: String {
    "\(transport.name) port \(hostPort)" + (hostAddress.map { " of \($0)" } ?? "")
  }
}

extension PortForward {
  /// What the mappings come to for a pod: one for each family that a mapping is for and the pod has.
  ///
  /// Mappings for an address of a family that the pod lacks come to nothing, as upstream has it.
  ///
  /// - Throws: `ProtocolError` if one port is to lead to two places.
  static func all(_ mappings: [PortMapping], to pod: [InterfaceAddress]) throws(ProtocolError)
    -> [PortForward]
  {
    var forwards: [PortForward] = []
    var seen: [PortForward: PortForward] = [:]
    for mapping in mappings {
      guard let transport = Transport(mapping.transport) else { continue }
      for address in pod where (mapping.hostAddress?.family ?? address.family) == address.family {
        let hostAddress = mapping.hostAddress.flatMap { $0.isUnspecified ? nil : $0 }
        let forward = PortForward(
          transport: transport, hostPort: mapping.hostPort, hostAddress: hostAddress,
          pod: address, podPort: mapping.containerPort)
        let place = PortForward(
          transport: transport, hostPort: mapping.hostPort, hostAddress: hostAddress,
          pod: address, podPort: 0)
        if let first = seen.updateValue(forward, forKey: place) {
          guard first == forward else {
            throw ProtocolError(
              .invalidConfiguration,
              "\(forward.hostText) is mapped to port \(first.podPort) and to \(forward.podPort)",
              details: "take one of them out of \"portMappings\"")
          }
        } else {
          forwards.append(forward)
        }
      }
    }
    return forwards
  }
}
