internal import Addressing

extension ServiceAdmission {
  /// Gives a service what it lacks.
  mutating func claimFree(_ service: inout Service) throws(ServiceRefusal) {
    let name = service.name
    if !service.isHeadless {
      for (place, family) in service.families.enumerated()
      where !service.clusterAddresses.contains(where: { $0.family == family }) {
        guard let range = range(of: family), let address = claims.freeAddress(in: range, for: name)
        else {
          throw ServiceRefusal(
            at: "spec.clusterIPs", "the service range of \(family) is full",
            remedy: "choose a larger one under serviceRanges in the settings")
        }
        service.clusterAddresses.insert(address, at: min(place, service.clusterAddresses.count))
      }
    }
    if service.opensNodePorts {
      for place in service.ports.indices where service.ports[place].nodePort == nil {
        let port = service.ports[place]
        guard let number = claims.freePort(in: settings.nodePorts, port.transport, for: name) else {
          throw ServiceRefusal(
            at: "spec.ports[\(place)].nodePort",
            "all \(port.transport.name) ports of the node's range are taken",
            remedy: "choose a wider range under nodePorts in the settings")
        }
        service.ports[place].nodePort = number
      }
    }
    if service.kind == .balancer, service.balancerAddresses.isEmpty {
      for family in service.families {
        let pools = settings.balancerPool.filter { $0.family == family }
        var address: IPAddress?
        for pool in pools where address == nil {
          address = claims.freeAddress(in: pool, for: name)
        }
        if let address { service.balancerAddresses.append(address) }
        if address == nil, !pools.isEmpty {
          throw ServiceRefusal(
            at: "spec.type", "the pool of \(family) addresses for balancers is full",
            remedy: "add to loadBalancerPool in the settings")
        }
      }
    }
  }
}
