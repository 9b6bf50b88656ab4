internal import Addressing

/// Which of the services that are defined can be, and with which addresses and ports.
///
/// Who had something before comes first, then who asks for something by name, then who takes what is
/// left. A service that is refused stays as it was, if it was there.
struct ServiceAdmission {
  /// A service, and the file that defines it.
  struct Candidate {
    var service: Service
    let file: String
  }

  /// The services that can be, with all their addresses and ports.
  private(set) var admitted: [Candidate] = []
  /// Why others cannot.
  private(set) var refusals: [ServiceRefusal] = []
  private let settings: ServiceSettings
  private var claims = ServiceClaims()

  /// Admits what can be admitted.
  ///
  /// - Parameters:
  ///   - documents: what the files say.
  ///   - former: the services as they are.
  ///   - ledger: what services had, also before the last boot.
  ///   - settings: of this node.
  init(
    _ documents: [ServiceDocument], former: [ServiceName: ResolvedService], ledger: ServiceLedger,
    _ settings: ServiceSettings
  ) {
    self.settings = settings
    refusals = documents.flatMap(\.refusals)
    let candidates = gather(documents, former)
    for candidate in candidates {
      reserve(candidate.service.name, ledger)
    }
    var accepted: [Candidate] = []
    for var candidate in candidates {
      do throws(ServiceRefusal) {
        try claimNamed(&candidate.service, ledger)
        accepted.append(candidate)
      } catch {
        refuse(candidate, error, former)
      }
    }
    for var candidate in accepted {
      do throws(ServiceRefusal) {
        try claimFree(&candidate.service)
        admitted.append(candidate)
      } catch {
        refuse(candidate, error, former)
      }
    }
  }

  /// All that are defined, each once, and those whose definitions cannot be read any more.
  private mutating func gather(
    _ documents: [ServiceDocument], _ former: [ServiceName: ResolvedService]
  ) -> [Candidate] {
    var files: [ServiceName: String] = [:]
    var candidates: [Candidate] = []
    for document in documents {
      for service in document.services {
        if let first = files[service.name] {
          refusals.append(
            ServiceRefusal(
              at: "metadata.name", "\(service.name) is defined in \(first) already",
              remedy: "give one of them another name or namespace", file: document.file,
              object: "Service \(service.name)", service: service.name))
        } else {
          files[service.name] = document.file
          candidates.append(Candidate(service: service, file: document.file))
        }
      }
    }
    let unread = Set(documents.filter(\.isUnreadable).map(\.file))
    let broken = Set(documents.flatMap(\.refusals).compactMap(\.service))
    for (name, resolved) in former.sorted(by: { $0.key < $1.key })
    where files[name] == nil && (unread.contains(resolved.file) || broken.contains(name)) {
      candidates.append(Candidate(service: resolved.service, file: resolved.file))
    }
    return candidates
  }

  private mutating func refuse(
    _ candidate: Candidate, _ refusal: ServiceRefusal, _ former: [ServiceName: ResolvedService]
  ) {
    var refusal = refusal
    refusal.file = candidate.file
    refusal.service = candidate.service.name
    refusal.object = "Service \(candidate.service.name)"
    refusals.append(refusal)
    claims.release(candidate.service.name)
    guard let old = former[candidate.service.name], isAllowed(old.service),
      claims.take(all: old.service)
    else { return }
    admitted.append(Candidate(service: old.service, file: old.file))
  }
}

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

  private func range(of family: IPFamily) -> Subnet? {
    settings.serviceRanges.first { $0.family == family }
  }

  /// Whether the settings still allow all that a service has.
  private func isAllowed(_ service: Service) -> Bool {
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
  private mutating func reserve(_ name: ServiceName, _ ledger: ServiceLedger) {
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
  private mutating func claimNamed(
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

  private mutating func claimNodePorts(
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
  private mutating func claimOutside(
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

  private mutating func take(
    _ address: IPAddress, for name: ServiceName, at path: String
  ) throws(ServiceRefusal) {
    if let holder = claims.take(address, for: name) {
      throw ServiceRefusal(
        at: path, "\(address) belongs to \(holder)",
        remedy: "choose another, or leave it out to be given one")
    }
  }

  /// Gives a service what it lacks.
  private mutating func claimFree(_ service: inout Service) throws(ServiceRefusal) {
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
