internal import Addressing

/// A service that has all its addresses and ports, with those who answer for it.
public struct ResolvedService: Hashable, Sendable {
  /// The service; its addresses and node ports have been given.
  public var service: Service
  /// The file it stands in.
  public var file: String
  /// Who answers, in no order that matters.
  public var endpoints: [ServiceEndpoint] = []
  /// How the kernel has it: backends stand in the order of their buckets.
  public var frontends: [Frontend] = []

  /// A service with nobody behind it.
  public init(_ service: Service, file: String) {
    self.service = service
    self.file = file
  }

  /// Puts the frontends in agreement with service and endpoints; whoever stays keeps its place.
  public mutating func settle() {
    let before = Dictionary(frontends.map { ($0.key, $0.backends) }) { first, _ in first }
    frontends = service.frontends(endpoints).map { frontend in
      var frontend = frontend
      frontend.backends = frontend.backends.arranged(after: before[frontend.key] ?? [])
      return frontend
    }
  }
}

extension [Backend] {
  /// The same backends in an order that moves as few as possible away from where they were.
  ///
  /// Those that stay keep their places, new ones take the places of those that have gone, and
  /// places that remain empty are filled from the end.
  func arranged(after before: [Backend]) -> [Backend] {
    guard !before.isEmpty else { return self }
    var rest: [Target: Backend] = [:]
    for backend in self { rest[Target(backend)] = backend }
    var places: [Backend?] = before.map { rest.removeValue(forKey: Target($0)) }
    var new = filter { rest[Target($0)] != nil }[...]
    for place in places.indices where places[place] == nil { places[place] = new.popFirst() }
    var arranged: [Backend] = []
    var end = places.endIndex
    var place = 0
    while place < end {
      if let backend = places[place] {
        arranged.append(backend)
        place += 1
      } else {
        end -= 1
        if end > place { places[place] = places[end] }
      }
    }
    return arranged + new
  }

  private struct Target: Hashable {
    let address: IPAddress
    let port: UInt16

    init(_ backend: Backend) {
      address = backend.address
      port = backend.port
    }
  }
}

extension Service {
  /// What the kernel has to know of this service.
  ///
  /// Nothing of a headless one, or of one that others serve. Outside addresses of a family that no
  /// allowed source is of are left out, since nobody may use them.
  func frontends(_ endpoints: [ServiceEndpoint]) -> [Frontend] {
    var frontends: [Frontend] = []
    guard servedElsewhere == nil else { return frontends }
    for port in ports {
      for address in clusterAddresses {
        frontends.append(
          Frontend(
            .address(address), port.transport, port: port.number, for: .cluster,
            balancing: balancing, localOnly: internalIsLocal,
            backends: backends(address.family, port, endpoints, local: internalIsLocal)))
      }
      var places: [(Frontend.Place, UInt16)] = (externalAddresses + balancerAddresses).map {
        (.address($0), port.number)
      }
      let own = Set(balancerAddresses.map(Frontend.Place.address))
      if opensNodePorts, let nodePort = port.nodePort {
        places += clusterAddresses.map { (.node($0.family), nodePort) }
      }
      for (place, number) in places {
        let allowed = sources.filter { $0.family == place.family }
        guard sources.isEmpty || !allowed.isEmpty else { continue }
        frontends.append(
          Frontend(
            place, port.transport, port: number, for: .outside, balancing: balancing,
            localOnly: externalIsLocal,
            backends: backends(place.family, port, endpoints, local: externalIsLocal),
            sources: allowed, ownsAddress: own.contains(place)))
      }
    }
    return frontends
  }

  /// Who answers on a port: those that are ready, or else those that end and still answer.
  ///
  /// Where only this node's count, that is decided for them alone (KEP-1669).
  private func backends(
    _ family: IPFamily, _ port: ServicePort, _ endpoints: [ServiceEndpoint], local: Bool
  ) -> [Backend] {
    var ready: [Backend] = []
    var ending: [Backend] = []
    var seen: [IPAddress: Set<UInt16>] = [:]
    // A pod of this node may also stand in a slice; what we know ourselves comes first.
    for endpoint in endpoints.sorted(by: { $0.isAttached && !$1.isAttached }) {
      guard let address = endpoint.addresses.first(where: { $0.family == family }),
        let number = endpoint.port(for: port), seen[address, default: []].insert(number).inserted
      else { continue }
      let weight = weight(of: endpoint)
      guard weight > 0 else { continue }
      let backend = Backend(address, port: number, weight: weight, isLocal: endpoint.isLocal)
      switch endpoint.readiness {
      case .ready: ready.append(backend)
      case .notReady: if includesNotReady { ready.append(backend) }
      case .terminating:
        if includesNotReady { ready.append(backend) } else { ending.append(backend) }
      }
    }
    if ready.isEmpty { return ending }
    if local, !ready.contains(where: \.isLocal) { return ready + ending.filter(\.isLocal) }
    return ready
  }

  private func weight(of endpoint: ServiceEndpoint) -> UInt16 {
    if let weight = endpoint.weight { return weight }
    let match = weights.first { endpoint.labels[$0.pair.key] == $0.pair.value }
    return match?.weight ?? 1
  }
}

extension ServiceEndpoint {
  /// Whether a plugin of this node has added it.
  fileprivate var isAttached: Bool {
    if case .attachment = origin { true } else { false }
  }
}
