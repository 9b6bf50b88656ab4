internal import Addressing
internal import CNI
internal import DHCPClient
internal import Linux
internal import Netlink
internal import Plumbing
internal import RouteNetlink

/// The IPv4 side of an attachment: the lease of a DHCP server's.
final class IPv4Keeper {
  /// What there is; nil until then, and when it has been lost.
  private(set) var result: PluginResult?
  /// Why there will be nothing.
  private(set) var failure: ProtocolError?
  /// Whether the namespace is no more.
  var isGone = false

  private let settings: DHCPConfiguration
  let place: ContainerPlace
  let log: AttachmentLog
  var conversation: DHCPConversation
  var socket: DHCPSocket?
  /// Until when the link may take to carry frames; nil once it does.
  var carrierLimit: BootTime?
  var nextLook: BootTime?

  /// Starts to look for an address, or goes on with the lease from before a restart.
  ///
  /// - Parameters:
  ///   - settings: what is asked; nil is returned when nothing of IPv4 is wanted.
  ///   - file: what there was before.
  ///   - link: the interface as it is now, switched on.
  ///   - place: where it is.
  ///   - log: where is told what becomes of it.
  ///   - now: this moment.
  /// - Throws: `ProtocolError` when the interface is not for Ethernet.
  init?(
    _ settings: DHCPConfiguration, resuming file: DHCPLeaseFile? = nil, _ link: Link,
    at place: ContainerPlace, _ log: AttachmentLog, from now: BootTime
  ) throws(ProtocolError) {
    guard settings.usesIPv4 else { return nil }
    guard let hardwareAddress = link.hardwareAddress else {
      throw ProtocolError(
        .invalidConfiguration, "\(link.name) has no Ethernet address",
        details: "dhcp works over Ethernet links only")
    }
    self.settings = settings
    self.place = place
    self.log = log
    let options = log.context.options
    conversation = DHCPConversation(
      settings.identity(of: log.attachment, wantsBroadcast: options.wantsBroadcast),
      from: hardwareAddress, timing: options.timing)
    guard let file else {
      carrierLimit = now + .seconds(2)
      look(link, at: now)
      return
    }
    openSocket()
    if let lease = file.lease {
      result = lease.result(settings)
      perform(conversation.resume(lease, at: now))
    } else {
      perform(conversation.search(at: now))
    }
  }

  /// What a server has granted, for the file.
  var lease: DHCPLease? { conversation.lease }

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
      log.write("\(error)")
      socket = nil
    }
  }

  /// Gives the lease back, as far as anybody can still be told.
  func release(at now: BootTime) {
    defer { socket = nil }
    guard case .send(let message, let source, let server)? = conversation.stop(at: now) else {
      return
    }
    log.attempt("release") { () throws(ProtocolError) in
      _ = try place.visit { _ throws(ProtocolError) in
        try sending { () throws(SystemError) in
          // The main plugin deletes the link as soon as we are done.
          try DHCPSocket.send(
            message, from: source, to: server, onLink: place.interface,
            patience: .milliseconds(100))
        }
      }
    }
  }

  // MARK: - Steps

  /// Does what the conversation asks for.
  func perform(_ steps: [DHCPConversation.Step]) {
    for step in steps {
      switch step {
      case .broadcast(let message):
        log.attempt("send") { () throws(ProtocolError) in
          try sending { () throws(SystemError) in try socket?.broadcast(message) }
        }
      case .send(let message, let source, let server):
        log.attempt("send") { () throws(ProtocolError) in
          let isThere: Void? = try place.visit { _ throws(ProtocolError) in
            try sending { () throws(SystemError) in
              try DHCPSocket.send(message, from: source, to: server, onLink: place.interface)
            }
          }
          if isThere == nil { isGone = true }
        }
      case .granted(let lease): take(lease)
      case .lost(let lease, let loss):
        log.write("\(lease.address) is lost: \(loss.sentence)")
        result = nil
      case .gaveUp:
        failure = ProtocolError(
          .tryAgainLater, "no more tries",
          details: "no DHCP server on the link of \(place.interface) has given an address")
      }
    }
    if !conversation.isListening { socket = nil }
  }

  private func take(_ lease: DHCPLease) {
    guard let granted = lease.result(settings) else {
      result = nil
      failure = ProtocolError(
        .internalFailure, "DHCP option Subnet Mask not found in DHCPACK")
      return
    }
    result = granted
    // The link gets the MTU that a server tells, if it was asked: a result has no place for it.
    guard settings.requested.contains(.interfaceMTU), let mtu = lease.interfaceMTU else { return }
    log.attempt("set the MTU to \(mtu)") { () throws(ProtocolError) in try place.resize(to: mtu) }
  }

  private func sending(_ body: () throws(SystemError) -> Void) throws(ProtocolError) {
    do throws(SystemError) { try body() } catch { throw ProtocolError(error) }
  }
}

extension DHCPConversation.Loss {
  /// What an operator is told.
  var sentence: String {
    switch self {
    case .refused: "a server has taken it back"
    case .expired: "no server has renewed it"
    }
  }
}
