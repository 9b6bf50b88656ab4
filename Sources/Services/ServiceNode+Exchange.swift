internal import Linux

extension ServiceNode {
  /// Changes who answers for some services: one transaction, then the files.
  ///
  /// Unless it is done, nothing has changed, but for the mark. What else becomes of files follows under
  /// the same mark: nobody may be told of a failure and find no mark, while the kernel has the pod.
  func exchange(
    _ names: [ServiceName], without owners: Set<EndpointOwner>, with pod: EndpointFile?,
    _ following: (ServiceStore) throws(SystemError) -> Void = { _ throws(SystemError) in }
  ) throws(ServiceError) -> Exchange {
    guard let change = try change(of: names, without: owners, with: pod) else { return .outOfStep }
    guard !change.services.isEmpty else {
      try store.doing(following)
      return .nothingToDo
    }
    try store.doing { store throws(SystemError) in try store.setMark() }
    do throws(ServiceTableError) {
      try plane.change(from: change.former, to: change.wanted)
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
        for service in change.services { try store.write(service) }
        try following(store)
        try store.clearMark()
      }
    } catch {
      // The mark stays, so the files count for nothing until they have been made anew.
      try asking { plane throws(ServiceTableError) in
        try plane.change(from: change.wanted, to: change.former)
      }
      throw error
    }
    return .done
  }

  /// What becomes of services when endpoints of some owners go and a pod's come.
  ///
  /// - Returns: nil if the store does not tell all of them.
  private func change(
    of names: [ServiceName], without owners: Set<EndpointOwner>, with pod: EndpointFile?
  ) throws(ServiceError) -> EndpointChange? {
    var change = EndpointChange()
    for name in names {
      switch try store.doing({ store throws(SystemError) in try store.service(name) }) {
      case .damaged: return nil
      case .missing: if pod?.services.contains(name) == true { return nil }
      case .found(let before):
        var service = before
        service.endpoints.removeAll { endpoint in
          if case .attachment(let owner) = endpoint.origin { owners.contains(owner) } else { false }
        }
        if let pod, pod.services.contains(name) { service.endpoints.append(pod.endpoint) }
        service.settle()
        guard service != before else { continue }
        change.services.append(service)
        change.former += before.frontends
        change.wanted += service.frontends
      }
    }
    return change
  }
}

/// Services whose endpoints change, and their frontends before and after.
private struct EndpointChange {
  var services: [ResolvedService] = []
  var former: [Frontend] = []
  var wanted: [Frontend] = []
}

/// What became of a change.
enum Exchange {
  case done
  /// Kernel and store would be the same afterwards, so neither was touched.
  case nothingToDo
  /// Somebody has taken our tables away.
  case tablesMissing
  /// The store is not as it should be, or the kernel not as the store says.
  case outOfStep
}
