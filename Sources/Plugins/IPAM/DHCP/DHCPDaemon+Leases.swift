internal import CNI
internal import DHCPClient
internal import JSON
internal import Linux

extension DaemonContext {
  /// Where leases are kept.
  var leaseDirectory: String { options.hostPrefix + options.leaseDirectory }

  /// Makes the directory for leases, or refuses one that others can write to.
  func makeLeaseDirectory() throws(SystemError) {
    try Directory.create(leaseDirectory, mode: 0o700)
    let status = try Directory.open(leaseDirectory).status()
    guard status.owner == CurrentProcess.user, status.mode.rawValue & 0o022 == 0 else {
      throw SystemError(
        operation: "use a directory that others can write to, instead of one of mode 0700,",
        subject: leaseDirectory, errno: .notPermitted)
    }
  }
}

extension DHCPOrder {
  /// As it stands in a file: on one line.
  var text: String { JSONWriter.text(.object(document)) }

  /// The order that a lease file holds.
  init(_ file: DHCPLeaseFile) throws(ProtocolError) {
    let document: JSONObject?
    do throws(JSONParseError) {
      document = try JSONParser.parse(file.order).objectValue
    } catch {
      throw ProtocolError(error)
    }
    try self.init(document ?? [:])
  }
}

extension DHCPDaemon {
  /// Goes on with the leases of before a restart that nobody keeps yet.
  ///
  /// What is torn or belongs to nobody any more is removed: its container is gone, or it will be deleted
  /// without us. What cannot be looked at just now stays for another time, since its container lives
  /// on the lease.
  mutating func resume() {
    let directory = context.leaseDirectory
    let now = BootTime.now
    let kept = Set(keepers.values.map(\.path))
    owesLeases = false
    do throws(SystemError) {
      for name in try Directory.entries(of: directory) {
        let path = "\(directory)/\(name)"
        if kept.contains(path) { continue }
        do throws(ProtocolError) {
          if let keeper = try resumed(path) {
            keepers[keeper.attachment] = keeper
            settle(keeper.attachment, at: now)
            continue
          }
        } catch {
          context.log("\(path): \(error)")
          if error.mayPass {
            owesLeases = true
            continue
          }
        }
        try File.remove(path)
      }
    } catch {
      context.log("cannot read the leases of before: \(error)")
      owesLeases = true
    }
    if keepers.count > kept.count {
      context.log("going on with \(keepers.count - kept.count) leases")
    }
  }

  /// Goes on with what a file holds; nil for one that is of no use any more.
  private func resumed(_ path: String) throws(ProtocolError) -> LeaseKeeper? {
    // What a killed process has left half-written.
    guard path.hasSuffix(".lease") else { return nil }
    let file: DHCPLeaseFile?
    do throws(SystemError) {
      file = try DHCPLeaseFile(path: path)
    } catch {
      throw ProtocolError(error)
    }
    guard let file else {
      context.log("\(path) is no lease, or a torn one")
      return nil
    }
    let keeper = try LeaseKeeper(resuming: file, context, at: .now)
    // A copy under another name would make two keepers of one lease.
    return keeper?.path == path ? keeper : nil
  }

  /// What is said of an attachment without a lease; the plugin knows it by these words.
  static var lost: String { "it has been lost or was never there; delete and add the container" }

  /// Does what an order asks, or notes that its caller waits.
  ///
  /// - Returns: the answer; nil when it comes later.
  /// - Throws: `ProtocolError`, which is the answer then.
  mutating func answer(
    _ order: DHCPOrder, of caller: Caller, at now: BootTime
  ) throws(ProtocolError) -> JSONObject? {
    if owesLeases, order.command != .status { resume() }
    switch order.command {
    case .add: return try add(order, caller, at: now)
    case .check:
      guard let attachment = order.attachment, let result = keepers[attachment]?.answer else {
        throw ProtocolError(
          .internalFailure, "there is no lease for this attachment",
          details: Self.lost)
      }
      return try result.document(for: .newest)
    case .delete:
      if let attachment = order.attachment { try release(attachment, at: now) }
    case .collectGarbage:
      var failure: ProtocolError?
      for attachment in keepers.keys
      where attachment.network == order.network && !order.valid.contains(attachment.withoutNetwork)
      {
        context.log("\(attachment): nobody has it any more")
        do throws(ProtocolError) {
          try release(attachment, at: now)
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
    case .status, .repair, .version: ()
    }
    return [:]
  }

  private mutating func add(
    _ order: DHCPOrder, _ caller: Caller, at now: BootTime
  ) throws(ProtocolError) -> JSONObject? {
    guard let attachment = order.attachment else { return [:] }
    if let keeper = keepers[attachment] {
      if try keeper.isFor(order, context) {
        if let answer = keeper.answer { return try answer.document(for: .newest) }
        caller.wait(for: attachment, at: now)
        return nil
      }
      // Another container by the same name: the first one's namespace is gone or forgotten.
      try drop(attachment, ProtocolError(.unknownContainer, "another container has taken over"))
    }
    keepers[attachment] = try LeaseKeeper(order, attachment, context, at: now)
    caller.wait(for: attachment, at: now)
    settle(attachment, at: now)
    return nil
  }

  private mutating func release(_ attachment: Attachment, at now: BootTime) throws(ProtocolError) {
    guard let keeper = keepers[attachment] else {
      guard try owes(attachment) else { return }
      throw ProtocolError(
        .tryAgainLater, "the lease cannot be given back: its container cannot be looked at",
        details: "the daemon's log says why")
    }
    try keeper.release(at: now)
    try drop(attachment, ProtocolError(.tryAgainLater, "the attachment has been deleted"))
  }

  /// Whether there is a lease of before that could not be gone on with.
  private func owes(_ attachment: Attachment) throws(ProtocolError) -> Bool {
    guard owesLeases else { return false }
    do throws(SystemError) {
      return try File.status(of: context.leasePath(of: attachment)) != nil
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Forgets a keeper, and tells those who wait for it.
  private mutating func drop(
    _ attachment: Attachment, _ error: ProtocolError
  ) throws(ProtocolError) {
    guard let keeper = keepers.removeValue(forKey: attachment) else { return }
    tellWaiting(attachment, .failure(error))
    try keeper.forget()
  }

  /// Draws the consequences of how a keeper stands.
  mutating func settle(_ attachment: Attachment, at now: BootTime) {
    guard let keeper = keepers[attachment] else { return }
    do throws(ProtocolError) {
      switch keeper.standing {
      case .waiting: ()
      case .ready:
        guard let answer = keeper.answer else { return }
        tellWaiting(attachment, .success(try answer.document(for: .newest)))
      case .failed(let error): try drop(attachment, error)
      case .gone:
        context.log("\(attachment): the container is gone, and so is its lease")
        try drop(
          attachment,
          ProtocolError(.unknownContainer, "the container's network namespace is gone"))
      }
    } catch {
      context.log("\(attachment): \(error)")
    }
  }

  /// Lets go of an attachment whose first lease nobody waits for any more.
  mutating func abandon(_ attachment: Attachment, at now: BootTime) {
    guard let keeper = keepers[attachment], case .waiting = keeper.standing,
      !callers.values.contains(where: { $0.awaited == attachment })
    else { return }
    context.log("\(attachment): whoever asked has left")
    do throws(ProtocolError) {
      try release(attachment, at: now)
    } catch {
      context.log("\(attachment): \(error)")
    }
  }
}

extension ProtocolError {
  /// Whether it tells of the operating system and not of what a file holds, so that another attempt may
  /// succeed.
  fileprivate var mayPass: Bool { [.ioFailure, .tryAgainLater, .internalFailure].contains(code) }
}

extension LeaseKeeper {
  /// Whether an order is about the same namespace.
  fileprivate func isFor(
    _ order: DHCPOrder, _ context: DaemonContext
  ) throws(ProtocolError) -> Bool {
    let asked = try ContainerPlace(
      path: context.options.hostPrefix + (order.namespacePath ?? ""),
      interface: attachment.interface)
    return asked.identity == place.identity
  }
}
