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
      let isDone =
        switch try exchange(
          touched, without: Set(lost.map(\.owner) + [pod.owner]), with: pod, forgetting)
        {
        case .done: true
        case .nothingToDo:
          try asking { plane throws(ServiceTableError) in try plane.isLaid() }
        case .tablesMissing, .outOfStep: false
        }
      if isDone {
        if !outlook.unreachable.isEmpty { plane.makeWays(to: outlook.unreachable) }
        return nil
      }
    }
    return try reconcile(fromWhatIsThere: isKnown ? false : try isSound())
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
  private func outlookIfCurrent() throws(ServiceError) -> NodeOutlook? {
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

  /// Changes who answers for some services: one transaction, then the files.
  ///
  /// Unless it is done, nothing has changed, but for the mark. What else becomes of files follows under
  /// the same mark: nobody may be told of a failure and find no mark, while the kernel has the pod.
  private func exchange(
    _ names: [ServiceName], without owners: Set<EndpointOwner>, with pod: EndpointFile?,
    _ following: (ServiceStore) throws(SystemError) -> Void = { _ throws(SystemError) in }
  ) throws(ServiceError) -> Exchange {
    var former: [Frontend] = []
    var wanted: [Frontend] = []
    var changed: [ResolvedService] = []
    for name in names {
      switch try store.doing({ store throws(SystemError) in try store.service(name) }) {
      case .damaged: return .outOfStep
      case .missing: if pod?.services.contains(name) == true { return .outOfStep }
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
    guard !changed.isEmpty else {
      try store.doing(following)
      return .nothingToDo
    }
    try store.doing { store throws(SystemError) in try store.setMark() }
    do throws(ServiceTableError) {
      try plane.change(from: former, to: wanted)
    } catch {
      // Somebody has changed our tables: all is made anew, and the mark says so if that fails.
      switch error {
      case .missing: return .tablesMissing
      case .outOfStep: return .outOfStep
      case .tooManyBuckets, .kernel: break
      }
      if error.isRefusal {
        try store.doing { store throws(SystemError) in try store.clearMark() }
      }
      throw .kernel(error)
    }
    do throws(ServiceError) {
      try store.doing { store throws(SystemError) in
        for service in changed { try store.write(service) }
        try following(store)
        try store.clearMark()
      }
    } catch {
      // The mark stays, so the files count for nothing until they have been made anew.
      try asking { plane throws(ServiceTableError) in try plane.change(from: wanted, to: former) }
      throw error
    }
    return .done
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

/// What became of a change.
private enum Exchange {
  case done
  /// Kernel and store would be the same afterwards, so neither was touched.
  case nothingToDo
  /// Somebody has taken our tables away.
  case tablesMissing
  /// The store is not as it should be, or the kernel not as the store says.
  case outOfStep
}

/// The addresses that a pod takes, and whose they were.
private struct AddressClaims {
  let pod: EndpointFile
  private var former: [IPAddress: EndpointOwner] = [:]

  init(_ pod: EndpointFile) { self.pod = pod }

  /// Takes them.
  ///
  /// - Returns: those who have lost theirs and must have gone; nil if a file of theirs is damaged.
  mutating func take(in store: ServiceStore) throws(SystemError) -> [EndpointFile]? {
    for address in pod.addresses {
      if let holder = try store.claim(address, for: pod.owner) { former[address] = holder }
    }
    var lost: [EndpointFile] = []
    for owner in Set(former.values) {
      switch try store.endpoint(owner) {
      case .found(let file):
        if file.addresses.contains(where: { former[$0] == owner }) { lost.append(file) }
      case .missing: continue
      case .damaged: return nil
      }
    }
    return lost
  }

  /// Gives them back to whom they belonged.
  func giveBack(to before: Found<EndpointFile>, in store: ServiceStore) throws(SystemError) {
    for address in pod.addresses {
      if let owner = former[address] {
        try store.claim(address, for: owner)
      } else if case .found(let file) = before, file.addresses.contains(address) {
        continue
      } else {
        try store.release(address, of: pod.owner)
      }
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
