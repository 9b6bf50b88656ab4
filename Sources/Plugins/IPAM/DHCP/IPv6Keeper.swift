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
  enum Wait {
    case nothing
    /// The interface's own address, from which servers are asked.
    case linkLocal
    /// Addresses that are made of a router's announcement.
    case announcement
    /// That nobody has a server's address, and a router, until the moment.
    case verdict(DHCPv6Lease, AddressEntry, routerUntil: BootTime)
  }

  /// What there is; nil until then, and when it has been lost.
  var result: PluginResult?
  /// What there was last, from which the way out is known when an address is lost.
  var latest: PluginResult?
  /// Why there will be nothing.
  var failure: ProtocolError?
  /// Whether the namespace is no more.
  var isGone = false

  let place: ContainerPlace
  let priority: Int?
  let log: AttachmentLog
  var conversation: DHCPv6Conversation
  var socket: DHCPv6Socket?
  var wait: Wait
  /// The announced address that others were being asked about at the last look.
  var tentative: IPAddress?
  /// When the kernel is asked next; nil when nothing of it is waited for.
  var nextLook: BootTime?
  /// How long the first address may take; nil once there was one.
  var limit: BootTime?

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
    self.place = place
    self.log = log
    priority = settings.priority
    let timing = log.context.options.timing
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
}
