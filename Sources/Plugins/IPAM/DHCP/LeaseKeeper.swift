internal import Addressing
internal import CNI
internal import DHCPClient
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// The lease of one attachment, from the first request to the release.
///
/// It has an identity, hence a class: sockets and times of its own, which the daemon's loop serves.
/// Each family is kept by itself; here both become one result and one file.
final class LeaseKeeper {
  /// How it stands.
  enum Standing {
    /// It has no lease yet.
    case waiting
    /// It has had a lease, and keeps it or looks for the next.
    case ready
    /// It has got no lease and has stopped.
    case failed(ProtocolError)
    /// The container's namespace is gone, and with it all that there was to keep.
    case gone
  }

  let attachment: Attachment
  let place: ContainerPlace
  private(set) var standing = Standing.waiting

  let order: DHCPOrder
  let log: AttachmentLog
  let ipv4: IPv4Keeper?
  let ipv6: IPv6Keeper?
  /// What the container has, as far as we know.
  private var told: PluginResult?
  /// What the file holds.
  var saved: DHCPLeaseFile?

  /// Starts to lease an address for an attachment that has none.
  ///
  /// - Throws: `ProtocolError` when that cannot even begin.
  init(
    _ order: DHCPOrder, _ attachment: Attachment, _ context: DaemonContext, at now: BootTime
  ) throws(ProtocolError) {
    let settings = try order.settings()
    let place = try ContainerPlace(
      path: context.options.hostPrefix + (order.namespacePath ?? ""),
      interface: attachment.interface)
    if let source = settings.ipv6 {
      try place.listenToRouters(makesAddresses: source == .slaac)
    }
    guard let link = try place.switchOn() else {
      throw ProtocolError(.unknownContainer, "the container's network namespace is gone")
    }
    let log = AttachmentLog(attachment: attachment, context: context)
    ipv4 = try IPv4Keeper(settings, link, at: place, log, from: now)
    ipv6 = try IPv6Keeper(settings, at: place, log, from: now)
    self.order = order
    self.attachment = attachment
    self.place = place
    self.log = log
    update(at: now)
  }

  /// Goes on with the lease of a file.
  ///
  /// - Returns: nil when nothing is left of the container.
  /// - Throws: `ProtocolError`.
  init?(
    resuming file: DHCPLeaseFile, _ context: DaemonContext, at now: BootTime
  ) throws(ProtocolError) {
    let order = try DHCPOrder(file)
    guard file.boot == context.boot, let attachment = order.attachment,
      let path = order.namespacePath
    else { return nil }
    let settings = try order.settings()
    let place = ContainerPlace(
      path: context.options.hostPrefix + path, interface: attachment.interface,
      identity: file.namespace)
    guard try place.hasInterface(), let link = try place.switchOn() else { return nil }
    let log = AttachmentLog(attachment: attachment, context: context)
    ipv4 = try IPv4Keeper(settings, resuming: file, link, at: place, log, from: now)
    ipv6 = try IPv6Keeper(settings, resuming: file, at: place, log, from: now)
    self.order = order
    self.attachment = attachment
    self.place = place
    self.log = log
    standing = .ready
    saved = file
    told = try PluginResult(merging: [
      file.lease?.result(settings),
      PluginResult(line: file.told),
    ])
    update(at: now)
  }

  // MARK: - What the loop asks

  /// What the container is told; nil while a part of what it was promised is missing.
  var answer: PluginResult? {
    guard ipv4 == nil || ipv4?.result != nil, ipv6 == nil || ipv6?.result != nil else {
      return nil
    }
    return told
  }

  /// Where answers come in, while any are waited for.
  var readinesses: [Readiness.Wish] {
    [ipv4?.readiness, ipv6?.readiness].compactMap { $0 }
  }

  /// When ``pass(at:)`` is to be called; nil for never.
  var due: BootTime? { [ipv4?.due, ipv6?.due].compactMap { $0 }.min() }

  /// Does what is due.
  func pass(at now: BootTime) {
    guard let due, now >= due else { return }
    ipv4?.pass(at: now)
    ipv6?.pass(at: now)
    update(at: now)
  }

  /// Takes what has come in.
  func receive(at now: BootTime) {
    ipv4?.receive(at: now)
    ipv6?.receive(at: now)
    update(at: now)
  }

  /// Notices when the namespace has gone.
  func lookAround() {
    log.attempt("look for the namespace") { () throws(ProtocolError) in
      if try place.isGone() { standing = .gone }
    }
  }

  /// Gives the lease back, as far as anybody can still be told, and forgets it.
  ///
  /// - Throws: `ProtocolError` when the file stays, from which a restarted daemon would go on.
  func release(at now: BootTime) throws(ProtocolError) {
    ipv4?.release(at: now)
    ipv6?.release(at: now)
    try forget()
  }

  // MARK: - Both families

  /// Draws the consequences of what has become of either family.
  private func update(at now: BootTime) {
    if ipv4?.isGone == true || ipv6?.isGone == true { standing = .gone }
    switch standing {
    case .waiting:
      if let failure = ipv4?.failure ?? ipv6?.failure { return fail(failure, at: now) }
      told = PluginResult(merging: [ipv4?.result, ipv6?.result])
      guard answer != nil else { return }
      do throws(ProtocolError) { try save() } catch { return fail(error, at: now) }
      standing = .ready
    case .ready:
      log.attempt("write the lease") { () throws(ProtocolError) in try save() }
      follow()
      if let failure = ipv4?.failure ?? ipv6?.failure { fail(failure, at: now) }
    case .failed, .gone: ()
    }
  }

  /// Changes the interface as the leases have changed: from ADD on nobody but us tells the container.
  private func follow() {
    let result = PluginResult(merging: [ipv4?.result, ipv6?.result])
    guard result != told else { return }
    log.attempt("apply the change") { () throws(ProtocolError) in
      try place.apply(result ?? PluginResult(), insteadOf: told)
    }
    told = result
    let addresses = result?.addresses.map(\.address.description) ?? []
    log.write("the addresses are now: \(addresses.joined(separator: ", "))")
  }

  /// Stops: there will be nothing to tell.
  private func fail(_ error: ProtocolError, at now: BootTime) {
    log.attempt("give up") { () throws(ProtocolError) in try release(at: now) }
    standing = .failed(error)
  }
}
