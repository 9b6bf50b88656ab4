internal import Linux
internal import NodeFiles

extension ServiceNode {
  /// Makes kernel and store agree with all files.
  ///
  /// - Parameters:
  ///   - isSound: the kernel is what the store says, so only what differs is changed; otherwise the
  ///     tables are made anew.
  ///   - known: the services of the store, if they have been read.
  ///   - announcesAll: neighbours are told of all addresses of balancers again, in case they have
  ///     missed it.
  /// - Returns: what was done, and what was refused.
  /// - Throws: ``ServiceError``; then everything is as it was.
  func reconcile(
    fromWhatIsThere isSound: Bool, _ known: [ServiceName: ResolvedService]? = nil,
    announcingAll announcesAll: Bool = false
  ) throws(ServiceError) -> ServiceReport {
    let wanted = try wish(after: known)
    var report = wanted.report
    let isTrusted = isSound && !wanted.hasNewSettings
    let ledger = ServiceLedger(wanted.services.values.map(\.service))
    try store.doing { store throws(SystemError) in
      // What is in use must not be given to others after a reboot, so the ledger is first.
      if ledger != wanted.ledger { try store.write(ledger) }
      try store.setMark()
    }
    let former = wanted.former.values.flatMap(\.frontends)
    let frontends = wanted.services.values.flatMap(\.frontends)
    do throws(ServiceTableError) {
      if isTrusted {
        try plane.install(report.settings)
        let change = wanted.change
        if !change.former.isEmpty || !change.wanted.isEmpty {
          try plane.change(from: change.former, to: change.wanted)
        }
      } else {
        report.isRebuilt = true
        try plane.replace(former, with: frontends, report.settings)
      }
    } catch {
      // The kernel is as it was, if it has said so; the store is too, if it was good.
      if isTrusted, error.isRefusal {
        try store.doing { store throws(SystemError) in try store.clearMark() }
      }
      throw .kernel(error)
    }
    report.lastingNotices = report.notices
    report.balancers = BalancerAddresses.addresses(of: frontends)
    // Before that nobody would answer at them, and some other program of the node might.
    report.notices += plane.serve(
      BalancerAddresses(
        report.balancers, former: BalancerAddresses.addresses(of: former), report.settings,
        announcesAll: announcesAll))
    try store.doing { store throws(SystemError) in try store.write(wanted) }
    if !wanted.outlook.unreachable.isEmpty { plane.makeWays(to: wanted.outlook.unreachable) }
    return report
  }

  /// Whether the store says what the kernel is, as far as a quick look tells.
  func isSound() throws(ServiceError) -> Bool {
    let stamp = try store.doing { store throws(SystemError) in try store.stamp() }
    guard stamp != nil else { return false }
    return try asking { plane throws(ServiceTableError) in try plane.isLaid() }
  }

  /// How the kernel differs from what the store says, to the last element, a sentence each.
  func kernelDifferences(
    from services: [ServiceName: ResolvedService]
  ) throws(ServiceError) -> [String] {
    let frontends = services.values.flatMap(\.frontends)
    let settings = try readSettings().settings
    return try asking { plane throws(ServiceTableError) in
      try plane.differences(from: frontends, settings)
    }
  }

  /// What an apply would put right; changes nothing, and takes no lock.
  ///
  /// - Returns: a sentence for each difference; none if there is nothing to do, or never was.
  /// - Throws: ``ServiceError`` when it cannot be told.
  public func differences() throws(ServiceError) -> [String] {
    let (isUnfinished, stamp) = try store.doing { store throws(SystemError) in
      (try store.hasMark(), try store.stamp())
    }
    guard !isUnfinished else { return ["the last change was not finished"] }
    guard let stamp else {
      let documents = try store.doing { _ throws(SystemError) in try definitions.documents() }
      return documents.isEmpty ? [] : ["definitions have not been applied since the last boot"]
    }
    let hasChanged = try store.doing { _ throws(SystemError) in
      try definitions.hasChanged(since: stamp.files)
    }
    return (hasChanged ? ["definitions have changed and are not applied"] : [])
      + (try kernelDifferences(
        from: try store.doing { store throws(SystemError) in try store.services() }))
  }

  /// What should be, by all files there are.
  private func wish(
    after known: [ServiceName: ResolvedService]?
  ) throws(ServiceError) -> ServiceWish {
    let read = try readSettings()
    let settings = read.settings
    let outlook = try asking { plane throws(ServiceTableError) in
      try plane.outlook(on: settings.serviceRanges)
    }
    return try store.doing { store throws(SystemError) in
      let stamp = StoreStamp(
        exits: outlook.exits, ranges: settings.serviceRanges, files: read.stamp)
      let former: [ServiceName: ResolvedService]
      if let known { former = known } else { former = try store.services() }
      let ledger = try store.ledger()
      let documents = try definitions.documents()
      let admission = ServiceAdmission(
        documents, former: former, ledger: ledger ?? ServiceLedger(former.values.map(\.service)),
        settings)
      let node = try nodeName(settings)
      var wish = ServiceWish(
        admission,
        slices: documents.flatMap { document in
          document.slices.map { ($0, document.file) }
        }, former: former, node: node, outlook, stamp)
      wish.ledger = ledger
      wish.settingsBytes = read.bytes
      wish.hasNewSettings = try store.settingsBytes() != read.bytes
      let (files, damaged) = try store.endpoints()
      let (present, lost) = try store.holders(among: files)
      wish.add(present)
      wish.lost = lost
      wish.report.settings = settings
      wish.report.notices = read.notices + documents.flatMap(\.notices)
      if let refusal = read.refusal { wish.report.refusals.append(refusal) }
      for path in damaged {
        wish.report.notices.append("\(path) is damaged; its pod has to be added again")
      }
      return wish
    }
  }

  /// What this node is called in slices.
  private func nodeName(_ settings: ServiceSettings) throws(SystemError) -> String {
    if let name = settings.nodeName { return name }
    return try HostName.current()
  }

  /// The settings that hold, and what they were made from.
  struct SettingsRead {
    /// Those of the file, or else those that held before it became bad; pods are those of the flat
    /// network unless they are named.
    var settings: ServiceSettings
    /// Where they stand.
    let bytes: [UInt8]
    /// How all files were before; older than what is read, so that a change in between is seen the
    /// next time.
    let stamp: String
    var refusal: ServiceRefusal?
    var notices: [String] = []
  }

  func readSettings() throws(ServiceError) -> SettingsRead {
    let (stamp, bytes, old) = try store.doing { store throws(SystemError) in
      (
        try definitions.stamp(),
        try File.readIfPresent(paths.settings, limit: 1 << 20) ?? Array("{}".utf8),
        try store.settingsBytes()
      )
    }
    var read: SettingsRead
    do throws(ServiceRefusal) {
      read = SettingsRead(
        settings: try ServiceSettings(bytes, file: paths.settings), bytes: bytes, stamp: stamp)
    } catch {
      let refusal = error
      guard let old else { throw .settings(refusal) }
      do throws(ServiceRefusal) {
        read = SettingsRead(
          settings: try ServiceSettings(old, file: paths.settings), bytes: old, stamp: stamp,
          refusal: refusal)
      } catch {
        throw .settings(refusal)
      }
    }
    if read.settings.podRanges.isEmpty {
      do throws(NodeFileError) {
        read.settings.podRanges = try NodeSubnets(reading: paths.subnets)?.subnets ?? []
      } catch {
        read.notices.append("this node's pods count as strangers: \(error)")
      }
    }
    return read
  }
}
