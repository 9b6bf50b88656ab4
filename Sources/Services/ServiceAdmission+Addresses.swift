internal import Addressing

// Families and addresses for the cluster.
extension ServiceAdmission {
  /// The families that a service gets, the first one first.
  private func families(of service: Service) throws(ServiceRefusal) -> [IPFamily] {
    let available = settings.serviceRanges.map(\.family)
    let named =
      service.clusterAddresses.isEmpty ? service.families : service.clusterAddresses.map(\.family)
    let wanted = named + service.families.filter { !named.contains($0) }
    for family in wanted where !available.contains(family) {
      throw ServiceRefusal(
        at: "spec.ipFamilies", "there is no service range of \(family) on this node",
        remedy: "add one to serviceRanges in the settings")
    }
    let all = wanted + available.filter { !wanted.contains($0) }
    switch service.familyPolicy ?? (wanted.count == 2 ? .requireDual : .single) {
    case .single: return Array(all.prefix(max(1, named.count)))
    case .preferDual: return all
    case .requireDual:
      guard all.count == 2 else {
        throw ServiceRefusal(
          at: "spec.ipFamilyPolicy", "RequireDualStack, but there is one service range only",
          remedy: "use PreferDualStack, or add a range to serviceRanges in the settings")
      }
      return all
    }
  }

  func range(of family: IPFamily) -> Subnet? {
    settings.serviceRanges.first { $0.family == family }
  }

  /// Whether the settings still allow all that a service has.
  func isAllowed(_ service: Service) -> Bool {
    service.clusterAddresses.allSatisfy { range(of: $0.family)?.contains($0) == true }
      && service.ports.allSatisfy { $0.nodePort.map(settings.nodePorts.contains) ?? true }
      && service.externalAddresses.allSatisfy { address in
        settings.externalAddresses.contains { $0.contains(address) }
      }
      && service.balancerAddresses.allSatisfy { address in
        settings.balancerPool.contains { $0.contains(address) }
      }
  }

  /// Holds what a service had, as far as the settings still allow it.
  mutating func reserve(_ name: ServiceName, _ ledger: ServiceLedger) {
    guard let entry = ledger.entries[name] else { return }
    for address in entry.clusterAddresses where range(of: address.family)?.contains(address) == true
    {
      _ = claims.take(address, for: name)
    }
    for address in entry.balancerAddresses
    where settings.balancerPool.contains(where: { $0.contains(address) }) {
      _ = claims.take(address, for: name)
    }
    for (key, port) in entry.nodePorts where settings.nodePorts.contains(port) {
      guard let transport = Transport(String(key.prefix { $0 != "/" })) else { continue }
      _ = claims.take(ServiceClaims.NodePort(transport: transport, port: port), for: name)
    }
  }

  /// Claims what a definition names, and what the service had before.
  mutating func claimNamed(
    _ service: inout Service, _ ledger: ServiceLedger
  ) throws(ServiceRefusal) {
    let name = service.name
    let had = ledger.entries[name]
    if !service.isHeadless {
      service.families = try families(of: service)
      for address in service.clusterAddresses {
        guard let range = range(of: address.family), range.contains(address) else {
          throw ServiceRefusal(
            at: "spec.clusterIPs", "\(address) is not in a service range of this node",
            remedy: "leave it out, or add its range to serviceRanges in the settings")
        }
        try take(address, for: name, at: "spec.clusterIPs")
      }
      let kept = had?.clusterAddresses.filter { claims.holder(of: $0) == name } ?? []
      var addresses: [IPAddress] = []
      for family in service.families {
        let named = service.clusterAddresses.first { $0.family == family }
        if let address = named ?? kept.first(where: { $0.family == family }) {
          addresses.append(address)
        }
      }
      service.clusterAddresses = addresses
    }
    try claimNodePorts(&service, had)
    try claimOutside(&service, had)
    claims.keepOnly(service)
  }

  mutating func take(
    _ address: IPAddress, for name: ServiceName, at path: String
  ) throws(ServiceRefusal) {
    if let holder = claims.take(address, for: name) {
      throw ServiceRefusal(
        at: path, "\(address) belongs to \(holder)",
        remedy: "choose another, or leave it out to be given one")
    }
  }
}
