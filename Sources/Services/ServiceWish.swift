internal import Linux

/// What kernel and store should be like, by definitions, settings and endpoint files.
struct ServiceWish {
  var services: [ServiceName: ResolvedService] = [:]
  let index: ServiceIndex
  let former: [ServiceName: ResolvedService]
  var report = ServiceReport()
  /// How the node stands among others.
  let outlook: NodeOutlook
  /// What all this was made from.
  let stamp: StoreStamp
  var ledger: ServiceLedger?
  var settingsBytes: [UInt8] = []
  var hasNewSettings = false
  /// Endpoint files that have to say something else.
  private(set) var files: [EndpointFile] = []
  /// All endpoint files.
  private(set) var pods: [EndpointFile] = []
  /// Whose address somebody else has now: gone without a DEL.
  var lost: [EndpointOwner] = []

  init(
    _ admission: ServiceAdmission, slices: [(EndpointSlice, file: String)],
    former: [ServiceName: ResolvedService], node: String, _ outlook: NodeOutlook,
    _ stamp: StoreStamp
  ) {
    self.former = former
    self.outlook = outlook
    self.stamp = stamp
    index = ServiceIndex(admission.admitted.map(\.service))
    report.refusals = admission.refusals
    for candidate in admission.admitted {
      let name = candidate.service.name
      var service = ResolvedService(candidate.service, file: candidate.file)
      // Backends that stay keep their places.
      service.frontends = former[name]?.frontends ?? []
      services[name] = service
    }
    for (slice, file) in slices {
      guard services[slice.service] != nil else {
        report.refusals.append(
          ServiceRefusal(
            at: "metadata.labels", "there is no service \(slice.service)",
            remedy: "define it, or take the slice out", file: file,
            object: "EndpointSlice \(slice.service.namespace)/\(slice.name)"))
        continue
      }
      services[slice.service]?.endpoints += ServiceEndpoint.all(of: slice, node: node)
    }
  }

  /// Puts the pods of this node behind the services that select them.
  mutating func add(_ pods: [EndpointFile]) {
    self.pods = pods
    for var pod in pods {
      let names = index.names(selecting: pod.identity).sorted()
      for name in names { services[name]?.endpoints.append(pod.endpoint) }
      if !names.isEmpty { report.endpoints += 1 }
      if pod.services != names {
        pod.services = names
        files.append(pod)
      }
    }
    for name in services.keys { services[name]?.settle() }
    report.services = services.count
  }

  /// The frontends of services that are not as they were, before and after.
  var change: (former: [Frontend], wanted: [Frontend]) {
    var before: [Frontend] = []
    var after: [Frontend] = []
    for (name, service) in services {
      let old = former[name]?.frontends ?? []
      guard old != service.frontends else { continue }
      before += old
      after += service.frontends
    }
    for (name, service) in former where services[name] == nil { before += service.frontends }
    return (before, after)
  }
}

extension ServiceStore {
  /// Makes the files say what the kernel does now, and takes the mark away.
  func write(_ wish: ServiceWish) throws(SystemError) {
    for (name, service) in wish.services where wish.former[name] != service { try write(service) }
    for name in wish.former.keys where wish.services[name] == nil { try remove(name) }
    try write(wish.index)
    for file in wish.files { try write(file) }
    for owner in wish.lost { try remove(owner) }
    try writeClaims(wish.pods)
    if wish.hasNewSettings { try writeSettings(wish.settingsBytes) }
    try writeStamp(wish.stamp)
    try clearMark()
  }
}
