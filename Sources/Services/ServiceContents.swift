internal import Addressing
internal import Nftables

/// What frontends come to in the table of their family: elements of its sets, and chains of their own
/// for those that remember clients.
struct ServiceContents {
  /// Elements by their sets; counted ones are in `counts`.
  private(set) var elements: [ServiceSet: [Element]] = [:]
  /// How many frontends each element of a counted set is for.
  private(set) var counts: [ServiceSet: [ElementKey: Int]] = [:]
  /// The chains of frontends that remember clients.
  private(set) var affinities: [AffinityChains] = []

  /// What these frontends come to; those of the other family are passed over.
  init(_ frontends: [Frontend], _ family: IPFamily) {
    for frontend in frontends where frontend.place.family == family { add(frontend) }
  }

  /// The shapes that are needed.
  var shapes: [Shape] {
    elements.keys.compactMap { set in
      if case .shape(let shape) = set { shape } else { nil }
    }
  }
}

extension ServiceContents {
  private mutating func add(_ frontend: Frontend) {
    let key = ElementKey(frontend.key)
    let isOfPorts = frontend.place.isNode
    add(sources: frontend.sources, of: frontend.key, key)
    let locals = frontend.backends.filter(\.isLocal)
    countAddresses(of: frontend, locals)
    let isLocalToAll = frontend.localOnly && frontend.audience == .cluster
    let isLocalToOutside = frontend.localOnly && frontend.audience == .outside
    let reachable = isLocalToAll ? locals : frontend.backends
    guard !frontend.backends.isEmpty else {
      put(Element(key), in: isOfPorts ? .refusedPorts : .refused)
      return
    }
    if frontend.localOnly && locals.isEmpty {
      put(Element(key), in: isOfPorts ? .droppedPorts : .dropped)
    }
    if !reachable.isEmpty, hides(frontend, reachable) {
      put(Element(key), in: isOfPorts ? .masqueradePorts : .masqueradeAddresses)
    }
    if isLocalToOutside, locals.count < reachable.count {
      put(Element(key), in: isOfPorts ? .masqueradeOwnPorts : .masqueradeOwn)
    }
    if case .clientAffinity(let seconds) = frontend.balancing {
      guard !reachable.isEmpty else { return }
      let chains = AffinityChains(
        of: frontend.key, reachable, seconds: seconds, isLocalToOutside: isLocalToOutside)
      affinities.append(chains)
      put(
        Element(key, value: .verdict(.goto(chains.name))),
        in: isOfPorts ? .affinityPortChains : .affinityChains)
      return
    }
    put(reachable, frontend, key, BucketList(of: frontend.place, isLocal: false))
    if isLocalToOutside {
      put(Element(key), in: isOfPorts ? .localPolicyPorts : .localPolicy)
      put(locals, frontend, key, BucketList(of: frontend.place, isLocal: true))
    }
  }

  /// Counts the addresses of a frontend and of its backends, which others may have as well.
  private mutating func countAddresses(of frontend: Frontend, _ locals: [Backend]) {
    if case .address(let address) = frontend.place {
      count(ElementKey(.address(address)), in: .addresses)
      if frontend.ownsAddress {
        count(ElementKey(.address(address)), in: .clusterAddresses)
      }
    }
    for address in Set(locals.map(\.address)) {
      count(ElementKey(.address(address), .address(address)), in: .hairpin)
    }
    for address in Set(frontend.backends.filter { !$0.isLocal }.map(\.address)) {
      count(ElementKey(.address(address)), in: .backendsElsewhere)
    }
  }

  /// Whether clients from outside the cluster take the node's address.
  ///
  /// Answers must come back this way. Those of a pod on this node do so anyhow, yet Kubernetes hides
  /// all clients from outside unless the policy is Local, and so do we; a ClusterIP is for pods and
  /// nodes, and others who have a route to it are hidden where the answer would take another way.
  private func hides(_ frontend: Frontend, _ reachable: [Backend]) -> Bool {
    guard !frontend.localOnly else { return false }
    switch frontend.audience {
    case .outside: return true
    case .cluster: return reachable.contains { !$0.isLocal }
    }
  }

  /// Puts a list of buckets: so many for each backend as it has weight.
  private mutating func put(
    _ backends: [Backend], _ frontend: Frontend, _ key: ElementKey, _ list: BucketList
  ) {
    var bucket = list.firstBucket
    for backend in backends {
      let value = Element.Value.data(ElementKey(.address(backend.address), .port(backend.port)))
      for _ in 0..<backend.weight {
        put(
          Element(ElementKey(frontend.key, bucket: bucket), value: value),
          in: list.isOfPorts ? .portEndpoints : .endpoints)
        bucket += 1
      }
    }
    let count = bucket - list.firstBucket
    guard count > 0 else { return }
    let shape = Shape(list: list, isHash: frontend.balancing == .sourceHash, count: count)
    put(Element(key), in: .shape(shape))
    if let group = shape.group { put(Element(key), in: .group(group)) }
  }

  private mutating func add(sources: [Subnet], of frontend: Frontend.Key, _ key: ElementKey) {
    guard !sources.isEmpty else { return }
    let isOfPorts = frontend.place.isNode
    put(Element(key), in: isOfPorts ? .guardedPorts : .guarded)
    for range in AddressSpan.all(of: sources) {
      put(
        Element(
          from: ElementKey(frontend, source: range.first),
          through: ElementKey(frontend, source: range.last)),
        in: isOfPorts ? .allowedPorts : .allowed)
    }
  }

  private mutating func put(_ element: Element, in set: ServiceSet) {
    elements[set, default: []].append(element)
  }

  private mutating func count(_ key: ElementKey, in set: ServiceSet) {
    counts[set, default: [:]][key, default: 0] += 1
  }
}

extension ElementKey {
  /// The key of a frontend: its address if it has one, transport, port.
  init(_ frontend: Frontend.Key) {
    switch frontend.place {
    case .address(let address):
      self.init(
        .address(address), .transportProtocol(frontend.transport.rawValue), .port(frontend.port))
    case .node:
      self.init(.transportProtocol(frontend.transport.rawValue), .port(frontend.port))
    }
  }

  /// The key of one of a frontend's buckets.
  fileprivate init(_ frontend: Frontend.Key, bucket: UInt32) {
    switch frontend.place {
    case .address(let address):
      self.init(
        .address(address), .transportProtocol(frontend.transport.rawValue), .port(frontend.port),
        .mark(bucket))
    case .node:
      self.init(
        .transportProtocol(frontend.transport.rawValue), .port(frontend.port), .mark(bucket))
    }
  }

  /// The key of a source that may use a frontend.
  fileprivate init(_ frontend: Frontend.Key, source: IPAddress) {
    switch frontend.place {
    case .address(let address):
      self.init(
        .address(address), .transportProtocol(frontend.transport.rawValue), .port(frontend.port),
        .address(source))
    case .node:
      self.init(
        .transportProtocol(frontend.transport.rawValue), .port(frontend.port), .address(source))
    }
  }
}

extension Frontend.Place {
  /// It is the node's own addresses.
  var isNode: Bool {
    switch self {
    case .address: false
    case .node: true
    }
  }
}
