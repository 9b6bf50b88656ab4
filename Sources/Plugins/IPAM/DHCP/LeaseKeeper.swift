internal import Addressing
internal import CNI
internal import DHCPClient
internal import Digest
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// What all keepers of one daemon have in common.
struct Household: Sendable {
  let options: DaemonOptions
  /// Which boot this is.
  let boot: String

  func log(_ line: String) {
    StandardStreams.writeDiagnostics("dhcp: \(line)\n")
  }
}

/// The lease of one attachment, from the first request to the release.
///
/// It has an identity, hence a class: sockets and times of its own, which the daemon's loop serves.
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
  /// What the container has been told, as far as it has been told.
  private(set) var told: PluginResult?

  private let order: DHCPOrder
  private let settings: DHCPConfiguration
  private let household: Household
  private var conversation: DHCPConversation
  private var socket: DHCPSocket?
  /// Until when the link may take to carry frames; nil once it does.
  private var carrierLimit: BootTime?
  private var nextLook: BootTime?

  /// A keeper at rest.
  private init(
    _ order: DHCPOrder, _ attachment: Attachment, at place: ContainerPlace, _ link: Link,
    _ household: Household
  ) throws(ProtocolError) {
    settings = try order.settings()
    guard let hardwareAddress = link.hardwareAddress else {
      throw ProtocolError(
        .invalidConfiguration, "\(link.name) has no Ethernet address",
        details: "dhcp works over Ethernet links only")
    }
    self.order = order
    self.attachment = attachment
    self.place = place
    self.household = household
    conversation = DHCPConversation(
      settings.identity(of: attachment, wantsBroadcast: household.options.wantsBroadcast),
      from: hardwareAddress, timing: household.options.timing)
  }

  /// Starts to lease an address for an attachment that has none.
  ///
  /// - Throws: `ProtocolError` when that cannot even begin.
  convenience init(
    _ order: DHCPOrder, _ attachment: Attachment, _ household: Household, at now: BootTime
  ) throws(ProtocolError) {
    let place = try ContainerPlace(
      path: household.options.hostPrefix + (order.namespacePath ?? ""),
      interface: attachment.interface)
    guard let link = try Self.switchOn(at: place) else {
      throw ProtocolError(.unknownContainer, "the container's network namespace is gone")
    }
    try self.init(order, attachment, at: place, link, household)
    carrierLimit = now + .seconds(2)
    look(link, at: now)
  }

  /// Goes on with the lease of a file.
  ///
  /// - Returns: nil when nothing is left of the container.
  /// - Throws: `ProtocolError`.
  convenience init?(
    resuming file: DHCPLeaseFile, _ household: Household, at now: BootTime
  ) throws(ProtocolError) {
    let order = try DHCPOrder(file)
    guard file.boot == household.boot, let attachment = order.attachment,
      let path = order.namespacePath
    else { return nil }
    let place = ContainerPlace(
      path: household.options.hostPrefix + path, interface: attachment.interface,
      identity: file.namespace)
    guard let link = try Self.switchOn(at: place) else { return nil }
    try self.init(order, attachment, at: place, link, household)
    standing = .ready
    openSocket()
    if let lease = file.lease {
      told = result(of: lease)
      perform(conversation.resume(lease, at: now))
    } else {
      perform(conversation.search(at: now))
    }
  }

  // MARK: - What the loop asks

  /// Where answers come in, while any are waited for.
  var readiness: Readiness.Wish? { socket?.readiness }

  /// When ``pass(at:)`` is to be called; nil for never.
  var due: BootTime? { carrierLimit == nil ? conversation.due : nextLook }

  /// Does what is due.
  func pass(at now: BootTime) {
    guard let due, now >= due else { return }
    if carrierLimit != nil { return look(nil, at: now) }
    if socket == nil { openSocket() }
    perform(conversation.pass(at: now))
  }

  /// Takes what has come in.
  func receive(at now: BootTime) {
    do throws(SystemError) {
      while let message = try socket?.receive() {
        perform(conversation.receive(message, at: now))
      }
    } catch {
      // The link has gone down or away; the next request opens the wire again.
      log("\(error)")
      socket = nil
    }
  }

  /// Notices when the namespace has gone.
  func lookAround() {
    attempt("look for the namespace") { () throws(ProtocolError) in
      if try place.isGone() { standing = .gone }
    }
  }

  /// Gives the lease back, as far as anybody can still be told, and forgets it.
  ///
  /// - Throws: `ProtocolError` when the file stays, from which a restarted daemon would go on.
  func release(at now: BootTime) throws(ProtocolError) {
    if case .send(let message, let source, let server)? = conversation.stop(at: now) {
      attempt("release") { () throws(ProtocolError) in
        _ = try place.visit { _ throws(ProtocolError) in
          try sending { () throws(SystemError) in
            // The main plugin deletes the link as soon as we are done.
            try DHCPSocket.send(
              message, from: source, to: server, onLink: attachment.interface,
              patience: .milliseconds(100))
          }
        }
      }
    }
    try forget()
  }

  /// Removes the file.
  func forget() throws(ProtocolError) {
    socket = nil
    do throws(SystemError) {
      try File.remove(path)
    } catch {
      throw ProtocolError(error)
    }
  }

  // MARK: - Steps

  private func perform(_ steps: [DHCPConversation.Step]) {
    for step in steps {
      switch step {
      case .broadcast(let message):
        attempt("send") { () throws(ProtocolError) in
          try sending { () throws(SystemError) in try socket?.broadcast(message) }
        }
      case .send(let message, let source, let server):
        attempt("send") { () throws(ProtocolError) in
          let isThere: Void? = try place.visit { _ throws(ProtocolError) in
            try sending { () throws(SystemError) in
              try DHCPSocket.send(
                message, from: source, to: server, onLink: attachment.interface)
            }
          }
          if isThere == nil { standing = .gone }
        }
      case .granted(let lease): take(lease)
      case .lost(let lease, let loss): leave(lease, loss)
      case .gaveUp:
        standing = .failed(
          ProtocolError(
            .tryAgainLater, "no more tries",
            details: "no DHCP server on the link of \(attachment.interface) has given an address"))
      }
    }
    if !conversation.isListening { socket = nil }
  }

  private func take(_ lease: DHCPLease) {
    guard let result = result(of: lease) else {
      return fail(ProtocolError(.internalFailure, "DHCP option Subnet Mask not found in DHCPACK"))
    }
    do throws(ProtocolError) {
      try save(lease)
    } catch {
      if case .waiting = standing { return fail(error) }
      log("cannot write the lease: \(error)")
    }
    resize(lease)
    guard case .ready = standing else {
      standing = .ready
      told = result
      return
    }
    // From here on nobody but us tells the container.
    let before = told
    told = result
    guard result != before else { return }
    attempt("apply \(lease.address)") { () throws(ProtocolError) in
      try place.apply(result, insteadOf: before)
    }
    log("the address is now \(lease.address), from \(lease.server)")
  }

  /// Gives the link the MTU that a server tells, if it was asked: a result has no place for it.
  private func resize(_ lease: DHCPLease) {
    guard settings.requested.contains(.interfaceMTU), let mtu = lease.interfaceMTU else { return }
    attempt("set the MTU to \(mtu)") { () throws(ProtocolError) in try place.resize(to: mtu) }
  }

  private func leave(_ lease: DHCPLease, _ loss: DHCPConversation.Loss) {
    let reason = loss == .refused ? "a server has taken it back" : "no server has renewed it"
    log("\(lease.address) is lost: \(reason)")
    attempt("withdraw \(lease.address)") { () throws(ProtocolError) in
      if let told { try place.withdraw(told) }
      told = nil
      try save(nil)
    }
  }

  /// Stops before there was a lease to be told.
  private func fail(_ error: ProtocolError) {
    attempt("give up") { () throws(ProtocolError) in try release(at: .now) }
    standing = .failed(error)
  }

  private func result(of lease: DHCPLease) -> PluginResult? {
    lease.result(priority: settings.priority, requested: settings.requested)
  }

  private func save(_ lease: DHCPLease?) throws(ProtocolError) {
    do throws(SystemError) {
      try DHCPLeaseFile(
        boot: household.boot, namespace: place.identity, order: order.text, lease: lease
      ).write(to: path)
    } catch {
      throw ProtocolError(error)
    }
  }

  /// Where the lease is kept, under a name that no two attachments share, and of a length that every
  /// name can have.
  var path: String {
    let name = "\(attachment.network)/\(attachment.container)/\(attachment.interface)"
    return household.leaseDirectory + "/" + SHA512.hex(name, prefix: 32) + ".lease"
  }

  // MARK: - The link

  /// Begins when the link carries frames, or has had its time for that.
  private func look(_ link: Link?, at now: BootTime) {
    guard let limit = carrierLimit else { return }
    var carries = link.map(\.carries)
    if carries == nil {
      attempt("look at the link") { () throws(ProtocolError) in
        carries = try place.visit { socket throws(ProtocolError) in
          try place.link(socket).carries
        }
        if carries == nil { standing = .gone }
      }
    }
    if carries == true || now >= limit {
      carrierLimit = nil
      openSocket()
      perform(conversation.begin(at: now))
    } else {
      nextLook = now + .milliseconds(10)
    }
  }

  /// Opens the wire, with the address that the link has now.
  private func openSocket() {
    attempt("open a socket") { () throws(ProtocolError) in
      let opened: DHCPSocket? = try place.visit { netlink throws(ProtocolError) in
        let link = try place.link(netlink)
        if let address = link.hardwareAddress { conversation.hardwareAddress = address }
        do throws(SystemError) {
          return try DHCPSocket(onLink: link.name, index: link.index)
        } catch {
          throw ProtocolError(error)
        }
      }
      if let opened { socket = consume opened } else { standing = .gone }
    }
  }

  private static func switchOn(at place: ContainerPlace) throws(ProtocolError) -> Link? {
    try place.visit { socket throws(ProtocolError) in
      let link = try place.link(socket)
      if link.isUp { return link }
      var change = LinkChange(.index(link.index))
      change.isUp = true
      do throws(NetlinkError) {
        return try socket.changeLinkAndRead(change)
      } catch {
        throw ProtocolError(error, "failed to set \(link.name.text.inQuotes) UP")
      }
    }
  }

  // MARK: - Errors

  private func sending(_ body: () throws(SystemError) -> Void) throws(ProtocolError) {
    do throws(SystemError) { try body() } catch { throw ProtocolError(error) }
  }

  /// Does something whose failure stops nothing: what was not sent now is sent again later.
  private func attempt(_ what: String, _ body: () throws(ProtocolError) -> Void) {
    do throws(ProtocolError) { try body() } catch { log("\(what): \(error)") }
  }

  private func log(_ line: String) {
    household.log("\(attachment): \(line)")
  }
}

extension Link {
  /// Whether frames arrive; links that do not say so are believed.
  fileprivate var carries: Bool { operationalState == .up || operationalState == .unknown }
}
