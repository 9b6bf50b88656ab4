public import Linux

extension ServiceNode {
  /// Makes kernel and store agree with definitions, settings and endpoint files.
  ///
  /// Bad definitions are refused one by one; the rest applies. Tables in which something is missing
  /// are made anew. What is as it was when an apply found everything in agreement is not read again:
  /// see ``ServiceScene``.
  ///
  /// - Parameter preparing: makes definitions readable, if any may have changed; says whether it could
  ///   make all of them so.
  /// - Returns: what was done, and what was refused.
  /// - Throws: ``ServiceError``; then everything is as it was.
  public func apply(
    preparing: () throws(SystemError) -> Bool = { () throws(SystemError) in true }
  ) throws(ServiceError) -> ServiceReport {
    try locked { () throws(ServiceError) in
      let began = try store.doing { store throws(SystemError) in try store.moment() }
      let scene = try scene()
      let idle = try store.doing { store throws(SystemError) in try store.idleApply() }
      let isSameStore = idle?.store == scene.store
      let isKnownKernel = isSameStore && idle?.kernel == scene.kernel
      var services: [ServiceName: ResolvedService]?
      var isSound = try isSound()
      if isSound, !isKnownKernel {
        let stored = try store.doing { store throws(SystemError) in try store.services() }
        isSound = try kernelDifferences(from: stored).isEmpty
        services = stored
      }
      if isSound, isSameStore, let idle, idle.definitions == scene.definitions,
        let report = try repeated(idle)
      {
        if !isKnownKernel { try remember(report, of: scene, began) }
        return report
      }
      let isWhole = try store.doing { _ throws(SystemError) in try preparing() }
      let report = try reconcile(fromWhatIsThere: isSound, services, announcingAll: true)
      if isWhole { try remember(report, of: scene, began) }
      return report
    }
  }

  /// What an apply tells where definitions, store and kernel are as they were; nil if something else
  /// has changed.
  ///
  /// What nobody counts the changes of, addresses of balancers and ways to services, is put right.
  private func repeated(_ idle: IdleApply) throws(ServiceError) -> ServiceReport? {
    guard let outlook = try outlookIfCurrent() else { return nil }
    let read = try readSettings()
    guard read.refusal == nil else { return nil }
    var report = ServiceReport()
    report.settings = read.settings
    report.services = idle.services
    report.endpoints = idle.endpoints
    report.lastingNotices = idle.notices
    report.balancers = idle.balancers
    report.notices =
      idle.notices
      + plane.serve(
        BalancerAddresses(
          idle.balancers, former: idle.balancers, read.settings, announcesAll: true))
    if !outlook.unreachable.isEmpty { plane.makeWays(to: outlook.unreachable) }
    return report
  }

  /// Remembers what an apply told that refused nothing, and how everything was before.
  ///
  /// A file that is as young as the apply may have changed again in the same tick of the clock, and
  /// not look it; then nothing is remembered.
  private func remember(
    _ report: ServiceReport, of scene: ServiceScene, _ began: FileStamp
  ) throws(ServiceError) {
    guard report.refusals.isEmpty, scene.youngest < began else { return }
    try store.doing { store throws(SystemError) in try store.write(IdleApply(scene, report)) }
  }
}
