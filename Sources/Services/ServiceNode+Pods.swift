internal import Addressing
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
      var claims = AddressClaims(pod)
      do throws(ServiceError) {
        return try settle(pod, after: former, &claims)
      } catch {
        restore(former, claims)
        throw error
      }
    }
  }

  /// Puts a pod's file in place, and the pod into its services; all is made anew where it cannot be told
  /// what changes.
  ///
  /// - Returns: what was made anew; nil if a change was enough.
  private func settle(
    _ pod: EndpointFile, after former: Found<EndpointFile>, _ claims: inout AddressClaims
  ) throws(ServiceError) -> ServiceReport? {
    var pod = pod
    let outlook = try outlookIfCurrent()
    var isKnown = outlook != nil
    var before: [ServiceName] = []
    switch former {
    case .found(let file): before = file.services
    case .missing: break
    case .damaged: isKnown = false
    }
    let names = try store.doing { store throws(SystemError) in
      isKnown ? try store.names(selecting: pod.identity) : nil
    }
    pod.services = names ?? []
    let lost = try store.doing { store throws(SystemError) in
      try store.write(pod)
      return try claims.take(in: store)
    }
    if lost == nil { isKnown = false }
    if let names, let lost, let outlook {
      let touched = Set(names + before + lost.flatMap(\.services)).sorted()
      let forgetting = { (store: ServiceStore) throws(SystemError) in
        try store.forget(Dictionary(lost.map { ($0.owner, $0.addresses) }) { first, _ in first })
        guard case .found(let file) = former else { return }
        for address in file.addresses where !pod.addresses.contains(address) {
          try store.release(address, of: pod.owner)
        }
      }
      let owners = Set(lost.map(\.owner) + [pod.owner])
      if try isDone(try exchange(touched, without: owners, with: pod, forgetting)) {
        if !outlook.unreachable.isEmpty { plane.makeWays(to: outlook.unreachable) }
        return nil
      }
    }
    return try reconcile(fromWhatIsThere: isKnown ? false : try isSound())
  }

  /// Whether the kernel has what an exchange was to lead to.
  private func isDone(_ exchange: Exchange) throws(ServiceError) -> Bool {
    switch exchange {
    case .done: true
    case .nothingToDo: try asking { plane throws(ServiceTableError) in try plane.isLaid() }
    case .tablesMissing, .outOfStep: false
    }
  }

  /// Takes attachments out of all services that they answer for.
  ///
  /// Needs no definition and no configuration; an attachment that has left nothing is no error. What
  /// somebody has not finished is made anew, whoever is named.
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
    var present: [EndpointOwner: [IPAddress]] = [:]
    var isDamaged = false
    for owner in owners {
      switch try store.doing({ store throws(SystemError) in try store.endpoint(owner) }) {
      case .found(let file):
        names.formUnion(file.services)
        present[owner] = file.addresses
      case .damaged:
        isDamaged = true
        present[owner] = []
      case .missing: continue
      }
    }
    let (isUnfinished, stamp) = try store.doing { store throws(SystemError) in
      (try store.hasMark(), try store.stamp())
    }
    // An ADD that was not finished has left no file, but the kernel may have done what it asked.
    guard !present.isEmpty || isUnfinished else { return }
    var isLaid = true
    if stamp != nil, !isDamaged {
      switch try exchange(names.sorted(), without: Set(present.keys), with: nil) {
      case .done, .nothingToDo:
        return try store.doing { store throws(SystemError) in try store.forget(present) }
      case .tablesMissing: isLaid = false
      case .outOfStep: break
      }
    } else {
      isLaid = try asking { plane throws(ServiceTableError) in try plane.isLaid() }
    }
    try store.doing { store throws(SystemError) in
      try store.setMark()
      try store.forget(present)
    }
    // Where there are no tables, whoever comes next makes everything anew, from what is left.
    if isLaid { _ = try reconcile(fromWhatIsThere: false) }
  }

  /// Who has left something on a network.
  ///
  /// - Throws: ``ServiceError``.
  public func owners(on network: String) throws(ServiceError) -> [EndpointOwner] {
    try store.doing { store throws(SystemError) in try store.owners(on: network) }
  }

  /// How the node stands among others; nil if the store is not what files and outlook would make it.
  ///
  /// Whether the kernel is as the store says is seen by whoever changes it.
  func outlookIfCurrent() throws(ServiceError) -> NodeOutlook? {
    let stamp = try store.doing { store throws(SystemError) in
      let stamp = try store.stamp()
      guard let stamp, try !definitions.hasChanged(since: stamp.files) else {
        return StoreStamp?.none
      }
      return stamp
    }
    guard let stamp else { return nil }
    let outlook = try asking { plane throws(ServiceTableError) in
      try plane.outlook(on: stamp.ranges)
    }
    return outlook.exits == stamp.exits ? outlook : nil
  }

  private func restore(_ former: Found<EndpointFile>, _ claims: AddressClaims) {
    do throws(SystemError) {
      if case .found(let file) = former {
        try store.write(file)
      } else {
        try store.remove(claims.pod.owner)
      }
      try claims.giveBack(to: former, in: store)
    } catch {
      StandardStreams.writeDiagnostics("undo after a failed ADD: \(error)\n")
    }
  }
}

extension ServiceStore {
  /// Removes what attachments have left, and what they have had.
  func forget(_ owners: [EndpointOwner: [IPAddress]]) throws(SystemError) {
    for (owner, addresses) in owners {
      for address in addresses { try release(address, of: owner) }
      try remove(owner)
    }
  }
}
