internal import Addressing
internal import CNI
internal import DHCPClient
internal import Linux
internal import Plumbing
internal import RouteNetlink

/// The IPv6 side of an attachment: an address of a DHCPv6 server's, or those that the kernel has made
/// of a router's announcement.
///
/// Main plugins give the interface what a result says, and stop listening to routers. So what the
/// kernel has learned on its own is taken from it and put into the result: addresses and default
/// route.
final class IPv6Keeper {
  /// Where the address comes from.
  enum Source: String {
    /// From a DHCPv6 server.
    case dhcp
    /// From the prefixes that a router announces. RFC 4862
    case slaac
  }

  /// What is waited for in the kernel.
  private enum Wait {
    case nothing
    /// The interface's own address, from which servers are asked.
    case linkLocal
    /// Addresses that are made of a router's announcement.
    case announcement
    /// That nobody has a server's address, and a router, until the moment.
    case verdict(DHCPv6Lease, AddressEntry, routerUntil: BootTime)
  }

  /// What there is; nil until then, and when it has been lost.
  private(set) var result: PluginResult?
  /// What there was last, from which the way out is known when an address is lost.
  private(set) var latest: PluginResult?
  /// Why there will be nothing.
  private(set) var failure: ProtocolError?
  /// Whether the namespace is no more.
  private(set) var isGone = false

  private let source: Source
  private let place: ContainerPlace
  private let priority: Int?
  private let log: AttachmentLog
  private var conversation: DHCPv6Conversation
  private var socket: DHCPv6Socket?
  private var wait: Wait
  /// The announced address that others were being asked about at the last look.
  private var tentative: IPAddress?
  /// When the kernel is asked next; nil when nothing of it is waited for.
  private var nextLook: BootTime?
  /// How long the first address may take; nil once there was one.
  private var limit: BootTime?

  /// Starts to wait for an address, or goes on with what was told before a restart.
  ///
  /// - Parameters:
  ///   - settings: where it comes from; nil is returned when nothing of IPv6 is wanted.
  ///   - file: what there was before.
  ///   - place: the interface.
  ///   - log: where is told what becomes of it.
  ///   - now: this moment.
  /// - Throws: `ProtocolError` when the file tells what is no result.
  init?(
    _ settings: DHCPConfiguration, resuming file: DHCPLeaseFile? = nil, at place: ContainerPlace,
    _ log: AttachmentLog, from now: BootTime
  ) throws(ProtocolError) {
    guard let source = settings.ipv6 else { return nil }
    self.source = source
    self.place = place
    self.log = log
    priority = settings.priority
    let timing = log.household.options.timing
    conversation = DHCPv6Conversation(
      settings.identifier(of: log.attachment), resuming: file?.ipv6Lease, timing: timing)
    switch source {
    case .dhcp: wait = .linkLocal
    // Addresses of the kernel's making have been handed over long ago.
    case .slaac: wait = file == nil ? .announcement : .nothing
    }
    nextLook = now
    guard let file else {
      limit = now + timing.acquisition
      return
    }
    latest = try PluginResult(line: file.told)
    result = source == .slaac || file.ipv6Lease != nil ? latest : nil
  }

  /// What a server has granted, for the file.
  var lease: DHCPv6Lease? { result == nil ? nil : conversation.lease }

  /// Where answers come in, while any are waited for.
  var readiness: Readiness.Wish? { socket?.readiness }

  /// When ``pass(at:)`` is to be called; nil for never.
  var due: BootTime? { [nextLook, conversation.due, limit].compactMap { $0 }.min() }

  /// Does what is due.
  func pass(at now: BootTime) {
    if let limit, now >= limit { return giveUp() }
    if let next = nextLook, now >= next {
      // Without a limit nobody waits for it.
      nextLook = now + (limit == nil ? .milliseconds(500) : .milliseconds(20))
      do throws(ProtocolError) {
        try look(at: now)
      } catch {
        log.write("look at the link: \(error)")
        nextLook = now + .seconds(1)
      }
    }
    guard let due = conversation.due, now >= due else { return }
    if socket == nil { openSocket() }
    perform(conversation.pass(at: now), at: now)
  }

  /// Takes what has come in.
  func receive(at now: BootTime) {
    do throws(SystemError) {
      while let message = try socket?.receive() {
        perform(conversation.receive(message, at: now), at: now)
      }
    } catch {
      // The link has gone down or away; the next request opens the wire again.
      log.write("\(error)")
      socket = nil
    }
  }

  /// Gives the lease back, as far as anybody can still be told.
  func release(at now: BootTime) {
    rest()
    limit = nil
    guard let message = conversation.stop(at: now) else { return }
    if socket == nil { openSocket() }
    send(message)
    socket = nil
  }

  // MARK: - What the kernel has

  /// Looks at what the kernel has, and goes on if it is what was missing.
  private func look(at now: BootTime) throws(ProtocolError) {
    if case .nothing = wait {
      nextLook = nil
      return
    }
    guard let view = try view() else { return }
    switch wait {
    case .nothing: ()
    case .linkLocal:
      guard view.linkLocal?.standing == .usable else { return }
      rest()
      openSocket()
      perform(conversation.begin(at: now), at: now)
    case .announcement:
      // The kernel takes an announced address away that another host has.
      if view.announced.isEmpty, tentative != nil, view.linkLocal?.standing == .usable {
        return giveUp()
      }
      tentative = view.announced.first { $0.standing == .tentative }?.address.address
      let usable = view.announced.filter { $0.standing == .usable }
      guard tentative == nil, !usable.isEmpty else { return }
      try place.takeLearned()
      settle(usable.map(\.address), via: view.router, DNSSettings())
    case .verdict(let lease, let address, let routerLimit):
      switch view.standing(of: address.address.address) {
      case .absent:
        // A link that goes down loses its addresses.
        _ = try place.tryOut(lease.address)
      case .tentative: ()
      case .duplicate:
        log.write("\(lease.address) is another host's: declined")
        result = nil
        rest()
        openSocket()
        perform(conversation.decline(at: now), at: now)
      case .usable where view.router != nil || now >= routerLimit:
        try take(lease, view)
      case .usable: ()
      }
    }
  }

  /// Waits for nothing in the kernel any more, and leaves nothing there.
  private func rest() {
    if case .verdict(_, let address, _) = wait {
      log.attempt("withdraw \(address.address)") { () throws(ProtocolError) in
        try place.withdraw(address)
      }
    }
    wait = .nothing
    nextLook = nil
  }

  /// Ends with what is missing.
  private func giveUp() {
    log.attempt("look at the link") { () throws(ProtocolError) in
      let view = try view()
      switch wait {
      case .verdict(let lease, _, _): failure = place.stillTentative(lease.address)
      case .announcement: failure = place.nothingAnnounced(view, tentative)
      case .linkLocal, .nothing: failure = place.nothingLeased(view, conversation.refusal)
      }
    }
    failure = failure ?? place.nothingLeased(nil, conversation.refusal)
    limit = nil
    nextLook = nil
  }

  // MARK: - What servers say

  private func perform(_ steps: [DHCPv6Conversation.Step], at now: BootTime) {
    for step in steps {
      switch step {
      case .send(let message): send(message)
      case .granted(let lease): verify(lease, at: now)
      case .lost(let lease, let loss):
        log.write("\(lease.address) is lost: \(loss.sentence)")
        result = nil
        rest()
      }
    }
    if !conversation.isListening { socket = nil }
  }

  /// Finds out whether a new address can be used.
  private func verify(_ lease: DHCPv6Lease, at now: BootTime) {
    if case .verdict(let before, let address, let limit) = wait, before.address == lease.address {
      wait = .verdict(lease, address, routerUntil: limit)
      return
    }
    rest()
    guard result?.addresses.first?.address.address != .v6(lease.address) else {
      result?.dns = lease.dns
      return
    }
    log.attempt("try \(lease.address)") { () throws(ProtocolError) in
      guard let address = try place.tryOut(lease.address) else {
        isGone = true
        return
      }
      // Routers are asked for every four seconds. RFC 4861, section 10
      wait = .verdict(lease, address, routerUntil: now + (limit == nil ? .zero : .seconds(5)))
      nextLook = now
    }
  }

  /// Makes the result of a server's address and the way out.
  private func take(
    _ lease: DHCPv6Lease, _ view: IPv6View
  ) throws(ProtocolError) {
    var own = view.onLink(lease.address)
    var router = view.router
    if let before = latest?.addresses.first {
      // Routers are not listened to any more.
      if before.address.subnet.contains(own.address) {
        own = InterfaceAddress(address: own.address, prefix: before.address.prefix)
      }
      router = before.gateway
    } else {
      try place.takeLearned()
    }
    settle([own], via: router, lease.dns)
  }

  private func settle(
    _ addresses: [InterfaceAddress], via router: IPAddress?, _ dns: DNSSettings
  ) {
    rest()
    limit = nil
    let routes = router.map { router in
      var route = ResultRoute(to: .everything(.v6), gateway: router)
      route.priority = priority
      return [route]
    }
    result = PluginResult(
      addresses: addresses.map { ResultAddress(address: $0, gateway: router) },
      routes: routes ?? [], dns: dns)
    latest = result
  }

  // MARK: - The wire

  private func view() throws(ProtocolError) -> IPv6View? {
    let view: IPv6View? = try place.visit { socket throws(ProtocolError) in
      try IPv6View(place.link(socket), socket)
    }
    if view == nil { isGone = true }
    return view
  }

  private func openSocket() {
    log.attempt("open a socket") { () throws(ProtocolError) in
      guard case .v6(let address)? = try view()?.linkLocal?.address.address else { return }
      let opened: DHCPv6Socket? = try place.visit { _ throws(ProtocolError) in
        do throws(SystemError) {
          return try DHCPv6Socket(from: address, onLink: place.interface)
        } catch {
          throw ProtocolError(error)
        }
      }
      if let opened { socket = consume opened } else { isGone = true }
    }
  }

  private func send(_ message: DHCPv6Message) {
    do throws(SystemError) { try socket?.send(message) } catch { log.write("send: \(error)") }
  }
}

extension DHCPv6Lease {
  /// What a resolver is told.
  fileprivate var dns: DNSSettings {
    DNSSettings(
      nameservers: nameServers.isEmpty ? nil : nameServers.map(\.description),
      search: searchDomains.isEmpty ? nil : searchDomains)
  }
}
