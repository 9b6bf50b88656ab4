internal import Addressing
internal import CNI
internal import DHCPClient
internal import Linux
internal import RouteNetlink

/// What is said to DHCPv6 servers, and what they say.
extension IPv6Keeper {
  /// Does what the conversation asks for.
  func perform(_ steps: [DHCPv6Conversation.Step], at now: BootTime) {
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

  /// Gives an address back that another host has.
  func decline(_ lease: DHCPv6Lease, at now: BootTime) {
    log.write("\(lease.address) is another host's: declined")
    result = nil
    rest()
    openSocket()
    perform(conversation.decline(at: now), at: now)
  }

  /// Makes the result of a server's address and the way out.
  func take(_ lease: DHCPv6Lease, _ view: IPv6View) throws(ProtocolError) {
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

  /// Ends the waiting with these addresses.
  func settle(
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

  /// Opens the wire, from the address that the link has of its own.
  func openSocket() {
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

  func send(_ message: DHCPv6Message) {
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
