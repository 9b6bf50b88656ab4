internal import Linux

extension ServiceNode {
  /// Adds a pod to all services that select it; an earlier one of the same attachment goes.
  ///
  /// - Parameter pod: the pod; which services it answers for is found out here.
  /// - Returns: what was done besides, if definitions had changed or something had been lost; nil
  ///   otherwise.
  /// - Throws: ``ServiceError``; then everything is as it was.
  public func attach(_ pod: EndpointFile) throws(ServiceError) -> ServiceReport? {
    try locked { () throws(ServiceError) in
      let former = try store.doing { store throws(SystemError) in try store.endpoint(pod.owner) }
      do throws(ServiceError) {
        return try settle(pod, after: former)
      } catch {
        restore(former, pod.owner)
        throw error
      }
    }
  }

  private func settle(
    _ pod: EndpointFile, after former: Found<EndpointFile>
  ) throws(ServiceError) -> ServiceReport? {
    var pod = pod
    var isKnown = try isCurrent()
    var before: [ServiceName] = []
    switch former {
    case .found(let file): before = file.services
    case .missing: break
    case .damaged: isKnown = false
    }
    let names = try store.doing { store throws(SystemError) in
      isKnown ? try store.names(selecting: pod.identity) : nil
    }
    if let names {
      pod.services = names
      try store.doing { store throws(SystemError) in try store.write(pod) }
      let touched = names + before.filter { !names.contains($0) }
      if try exchange(touched, without: [pod.owner], with: pod) { return nil }
    } else {
      try store.doing { store throws(SystemError) in try store.write(pod) }
    }
    return try reconcile(trusting: isKnown ? .nothing : .whatIsThere)
  }

  /// Takes attachments out of all services that they answer for.
  ///
  /// Needs no definition and no configuration; an attachment that has left nothing is no error.
  ///
  /// - Throws: ``ServiceError``.
  public func detach(_ owners: [EndpointOwner]) throws(ServiceError) {
    // Nothing has ever been added here, so not even a directory is made.
    let isThere = try store.doing { _ throws(SystemError) in
      try File.status(of: paths.run, followingLink: true) != nil
    }
    guard isThere else { return }
    try locked { () throws(ServiceError) in try remove(owners) }
  }

  private func remove(_ owners: [EndpointOwner]) throws(ServiceError) {
    var names: Set<ServiceName> = []
    var present: [EndpointOwner] = []
    var isDamaged = false
    for owner in owners {
      switch try store.doing({ store throws(SystemError) in try store.endpoint(owner) }) {
      case .found(let file):
        names.formUnion(file.services)
        present.append(owner)
      case .damaged:
        isDamaged = true
        present.append(owner)
      case .missing: continue
      }
    }
    guard !present.isEmpty else { return }
    let stamp = try store.doing { store throws(SystemError) in try store.stamp() }
    guard try asking({ plane throws(ServiceTableError) in try plane.isLaid() }) else {
      // Whoever comes next makes everything anew, from what is left.
      return try store.doing { store throws(SystemError) in
        try store.setMark()
        for owner in present { try store.remove(owner) }
      }
    }
    if stamp != nil, !isDamaged, try exchange(names.sorted(), without: Set(present), with: nil) {
      return try store.doing { store throws(SystemError) in
        for owner in present { try store.remove(owner) }
      }
    }
    try store.doing { store throws(SystemError) in
      try store.setMark()
      for owner in present { try store.remove(owner) }
    }
    _ = try reconcile(trusting: .nothing)
  }

  /// Who has left something on a network.
  ///
  /// - Throws: ``ServiceError``.
  public func owners(on network: String) throws(ServiceError) -> [EndpointOwner] {
    try store.doing { store throws(SystemError) in try store.owners(on: network) }
  }

  /// Whether the store says what definitions and kernel do.
  private func isCurrent() throws(ServiceError) -> Bool {
    let isUnchanged = try store.doing { store throws(SystemError) in
      guard let stamp = try store.stamp() else { return false }
      return try !definitions.hasChanged(since: stamp)
    }
    guard isUnchanged else { return false }
    return try asking { plane throws(ServiceTableError) in try plane.isLaid() }
  }

  /// Changes who answers for some services: one transaction, then the files.
  ///
  /// - Returns: false if the store is not as it should be, or the kernel not as the store says.
  private func exchange(
    _ names: [ServiceName], without owners: Set<EndpointOwner>, with pod: EndpointFile?
  ) throws(ServiceError) -> Bool {
    var former: [Frontend] = []
    var wanted: [Frontend] = []
    var changed: [ResolvedService] = []
    for name in names {
      switch try store.doing({ store throws(SystemError) in try store.service(name) }) {
      case .damaged: return false
      case .missing: if pod?.services.contains(name) == true { return false }
      case .found(let before):
        var service = before
        service.endpoints.removeAll { endpoint in
          if case .attachment(let owner) = endpoint.origin { owners.contains(owner) } else { false }
        }
        if let pod, pod.services.contains(name) { service.endpoints.append(pod.endpoint) }
        service.settle()
        guard service != before else { continue }
        changed.append(service)
        former += before.frontends
        wanted += service.frontends
      }
    }
    guard !changed.isEmpty else { return true }
    try store.doing { store throws(SystemError) in try store.setMark() }
    do throws(ServiceTableError) {
      try plane.change(from: former, to: wanted)
    } catch {
      // Somebody has changed our tables: all is made anew, and the mark says so if that fails.
      if error.isMended { return false }
      try store.doing { store throws(SystemError) in try store.clearMark() }
      throw .kernel(error)
    }
    do throws(ServiceError) {
      try store.doing { store throws(SystemError) in
        for service in changed { try store.write(service) }
        try store.clearMark()
      }
    } catch {
      // The mark stays, so the files count for nothing until they have been made anew.
      try asking { plane throws(ServiceTableError) in try plane.change(from: wanted, to: former) }
      throw error
    }
    return true
  }

  private func restore(_ former: Found<EndpointFile>, _ owner: EndpointOwner) {
    do throws(SystemError) {
      if case .found(let file) = former { try store.write(file) } else { try store.remove(owner) }
    } catch {
      StandardStreams.writeDiagnostics("undo after a failed ADD: \(error)\n")
    }
  }
}

extension ServiceTableError {
  /// Making the tables anew mends it.
  fileprivate var isMended: Bool {
    switch self {
    case .missing, .outOfStep: true
    case .tooManyBuckets, .kernel: false
    }
  }
}
