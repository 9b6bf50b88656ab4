internal import CNI
internal import DHCPClient
internal import Linux
internal import Plumbing
internal import RouteNetlink

/// The link below the conversation.
extension IPv4Keeper {
  /// Begins when the link carries frames, or has had its time for that.
  func look(_ link: Link?, at now: BootTime) {
    guard let limit = carrierLimit else { return }
    var carries = link.map(\.carries)
    if carries == nil {
      log.attempt("look at the link") { () throws(ProtocolError) in
        carries = try place.visit { socket throws(ProtocolError) in
          try place.link(socket).carries
        }
        if carries == nil { isGone = true }
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
  func openSocket() {
    log.attempt("open a socket") { () throws(ProtocolError) in
      let opened: DHCPSocket? = try place.visit { netlink throws(ProtocolError) in
        let link = try place.link(netlink)
        if let address = link.hardwareAddress { conversation.hardwareAddress = address }
        do throws(SystemError) {
          return try DHCPSocket(onLink: link.name, index: link.index)
        } catch {
          throw ProtocolError(error)
        }
      }
      if let opened { socket = consume opened } else { isGone = true }
    }
  }
}

extension Link {
  /// Whether frames arrive; links that do not say so are believed.
  fileprivate var carries: Bool { operationalState == .up || operationalState == .unknown }
}
