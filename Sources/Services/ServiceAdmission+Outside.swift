internal import Addressing

// Ports of the node, and addresses for outside.
extension ServiceAdmission {
  mutating func claimNodePorts(
    _ service: inout Service, _ had: ServiceLedger.Entry?
  ) throws(ServiceRefusal) {
    for place in service.ports.indices {
      guard service.opensNodePorts else {
        service.ports[place].nodePort = nil
        continue
      }
      let port = service.ports[place]
      let path = "spec.ports[\(place)].nodePort"
      if let number = port.nodePort {
        guard settings.nodePorts.contains(number) else {
          let range = settings.nodePorts
          throw ServiceRefusal(
            at: path, "\(number) is not from \(range.lowerBound) to \(range.upperBound)",
            remedy: "choose another, leave it out, or change nodePorts in the settings")
        }
        let claim = ServiceClaims.NodePort(transport: port.transport, port: number)
        if let holder = claims.take(claim, for: service.name) {
          throw ServiceRefusal(
            at: path, "\(port.transport.name) port \(number) belongs to \(holder)",
            remedy: "choose another, or leave it out")
        }
      } else if let number = had?.nodePorts[port.ledgerKey],
        claims.holder(of: ServiceClaims.NodePort(transport: port.transport, port: number))
          == service.name,
        !service.ports.contains(where: { $0.transport == port.transport && $0.nodePort == number })
      {
        service.ports[place].nodePort = number
      }
    }
  }

  /// Claims addresses for outside; those that others lead here may be shared, port by port.
  mutating func claimOutside(
    _ service: inout Service, _ had: ServiceLedger.Entry?
  ) throws(ServiceRefusal) {
    if service.kind == .balancer {
      for address in service.balancerAddresses {
        guard settings.balancerPool.contains(where: { $0.contains(address) }) else {
          throw ServiceRefusal(
            at: "spec.loadBalancerIP", "\(address) is not in this node's pool",
            remedy: "leave it out, or add it to loadBalancerPool in the settings")
        }
        try take(address, for: service.name, at: "spec.loadBalancerIP")
      }
      if service.balancerAddresses.isEmpty, let had {
        service.balancerAddresses = had.balancerAddresses.filter {
          service.families.contains($0.family) && claims.holder(of: $0) == service.name
        }
      }
    } else {
      service.balancerAddresses = []
    }
    for address in service.externalAddresses {
      guard settings.externalAddresses.contains(where: { $0.contains(address) }) else {
        throw ServiceRefusal(
          at: "spec.externalIPs", "\(address) is not allowed on this node",
          remedy: "add its network to externalAddresses in the settings")
      }
      if let holder = claims.holder(of: address) {
        throw ServiceRefusal(
          at: "spec.externalIPs", "\(address) belongs to \(holder)", remedy: "choose another")
      }
      for port in service.ports {
        let key = Frontend.Key(
          place: .address(address), transport: port.transport, port: port.number)
        if let holder = claims.take(key, for: service.name) {
          throw ServiceRefusal(
            at: "spec.externalIPs", "\(port.text) of \(address) belongs to \(holder)",
            remedy: "choose another address or port")
        }
      }
    }
  }
}
