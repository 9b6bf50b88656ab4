internal import Addressing
internal import CNI
internal import DHCPClient
internal import Linux
internal import Plumbing
internal import RouteNetlink

/// What is waited for in the kernel.
extension IPv6Keeper {
  /// Looks at what the kernel has, and goes on if it is what was missing.
  func look(at now: BootTime) throws(ProtocolError) {
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
    case .announcement: try takeAnnounced(view)
    case .verdict(let lease, let address, let routerLimit):
      switch view.standing(of: address.address.address) {
      case .absent:
        // A link that goes down loses its addresses.
        _ = try place.tryOut(lease.address)
      case .tentative: ()
      case .duplicate: decline(lease, at: now)
      case .usable:
        if view.router != nil || now >= routerLimit { try take(lease, view) }
      }
    }
  }

  /// Takes over the addresses that the kernel has made of an announcement, once it knows that nobody
  /// else has them.
  private func takeAnnounced(_ view: IPv6View) throws(ProtocolError) {
    // The kernel takes an announced address away that another host has.
    if view.announced.isEmpty, tentative != nil, view.linkLocal?.standing == .usable {
      return giveUp()
    }
    tentative = view.announced.first { $0.standing == .tentative }?.address.address
    let usable = view.announced.filter { $0.standing == .usable }
    guard tentative == nil, !usable.isEmpty else { return }
    try place.takeLearned()
    settle(usable.map(\.address), via: view.router, DNSSettings())
  }

  /// Waits for nothing in the kernel any more, and leaves nothing there.
  func rest() {
    if case .verdict(_, let address, _) = wait {
      log.attempt("withdraw \(address.address)") { () throws(ProtocolError) in
        try place.withdraw(address)
      }
    }
    wait = .nothing
    nextLook = nil
  }

  /// Ends with what is missing.
  func giveUp() {
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

  /// What the kernel has on the interface; nil when the namespace is gone.
  func view() throws(ProtocolError) -> IPv6View? {
    let view: IPv6View? = try place.visit { socket throws(ProtocolError) in
      try IPv6View(place.link(socket), socket)
    }
    if view == nil { isGone = true }
    return view
  }
}
