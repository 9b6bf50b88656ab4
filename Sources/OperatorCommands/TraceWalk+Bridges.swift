internal import Addressing
internal import Nftables
internal import RouteNetlink
internal import RulesetWalk

extension TraceWalk {
  /// The port behind which an address is, and the pod that has it.
  private func port(
    of bridge: Link, at place: TracePlace, towards address: IPAddress
  ) -> (port: Link, pod: NodeReport.Pod)? {
    for link in place.links where link.masterIndex == bridge.index {
      if let pod = owner(of: link, at: place), pod.addresses.contains(address) {
        return (link, pod)
      }
    }
    return nil
  }

  /// A packet that leaves a place by its bridge, for a host behind one of the ports.
  func leaveByBridge(
    _ packet: Packet, _ place: TracePlace, _ bridge: Link, to next: IPAddress, hops: Int
  ) throws -> TraceStory {
    guard let (port, _) = port(of: bridge, at: place, towards: next) else {
      return try stranded(packet, at: place, bridge, next)
    }
    var frame = packet
    frame.output = place.packetLink(port)
    frame.hardwareSource = bridge.hardwareAddress
    frame.hardwareDestination = try place.neighbour(next, on: bridge)?.hardwareAddress
    return try chains(.output, frame, at: place, .frames) { frame in
      try chains(.postrouting, frame, at: place, .frames) { _ in
        try reachPort(packet, at: place, bridge, port, next, hops: hops)
      }
    }
  }

  private func reachPort(
    _ packet: Packet, at place: TracePlace, _ bridge: Link, _ port: Link, _ next: IPAddress,
    hops: Int
  ) throws -> TraceStory {
    try leave(packet, place, by: port, to: next, hops: hops).after(
      TraceStory.Step(
        place: place.name, station: "bridge",
        what: "\(bridge.name) sends it out by port \(port.name)"))
  }

  /// Nobody of this node has the address.
  private func stranded(
    _ packet: Packet, at place: TracePlace, _ bridge: Link, _ next: IPAddress
  ) throws -> TraceStory {
    if let neighbour = try place.neighbour(next, on: bridge),
      let address = neighbour.hardwareAddress, !neighbour.state.contains(.failed)
    {
      return TraceStory(
        .leaves, at: place.name,
        "goes out of bridge \(bridge.name) to \(address), which answers for \(next) and sees "
          + "\(packet.source)", packet)
    }
    return TraceStory(
      .unknown, at: place.name,
      "ends on bridge \(bridge.name): no pod of this node is known to have \(next)",
      remedy: "see who is there with: cnictl list", packet)
  }

  /// A frame that comes in by the port of a bridge.
  ///
  /// With the module `br_netfilter` the chains for IP packets are asked here already; what they
  /// translate to an address behind the same bridge then stays on it.
  func enterBridge(
    _ packet: Packet, at place: TracePlace, _ bridge: Link, by port: Link, to next: IPAddress,
    hops: Int
  ) throws -> TraceStory {
    var frame = packet
    frame.input = place.packetLink(port)
    frame.hardwareDestination =
      place.has(next) ? bridge.hardwareAddress : try hardware(of: next, at: place, bridge)
    let isFiltered = try place.filtersBridged(packet.family)
    let passing = Passing(bridge: bridge, port: port, isFiltered: isFiltered, hops: hops)
    return try chains(.prerouting, frame, at: place, .frames) { frame in
      guard isFiltered else { return try decide(frame, at: place, passing, next) }
      var upper = frame
      upper.input = place.packetLink(bridge)
      return try chains(.prerouting, upper, at: place) { upper in
        var frame = upper
        frame.input = place.packetLink(port)
        guard upper.destination != packet.destination else {
          return try decide(frame, at: place, passing, next)
        }
        var query = self.query(upper)
        query.inputIndex = bridge.index
        guard case .route(let route) = try place.answer(query), route.type == .unicast,
          route.linkIndex == bridge.index
        else { return try routeIn(upper, at: place, by: bridge, hops: hops) }
        let next = route.gateway ?? upper.destination
        frame.hardwareDestination = try hardware(of: next, at: place, bridge)
        return try across(frame, at: place, passing, next)
      }
    }
  }

  /// How a frame passes a bridge.
  private struct Passing {
    let bridge: Link
    /// By which it came in.
    let port: Link
    /// The chains for IP packets are asked, too.
    let isFiltered: Bool
    let hops: Int
  }

  private func hardware(
    of address: IPAddress, at place: TracePlace, _ bridge: Link
  ) throws -> HardwareAddress? {
    try port(of: bridge, at: place, towards: address)
      .flatMap { try self.place(of: $0.pod).hardwareAddress(of: address) }
  }

  /// Up to the host, or across to another port.
  private func decide(
    _ frame: Packet, at place: TracePlace, _ passing: Passing, _ next: IPAddress
  ) throws -> TraceStory {
    guard place.has(next) else { return try across(frame, at: place, passing, next) }
    return try chains(.input, frame, at: place, .frames) { frame in
      guard passing.isFiltered else {
        return try arrive(frame, at: place, by: passing.bridge, hops: passing.hops)
      }
      var upper = frame
      upper.input = place.packetLink(passing.bridge)
      return try routeIn(upper, at: place, by: passing.bridge, hops: passing.hops)
    }
  }

  private func across(
    _ frame: Packet, at place: TracePlace, _ passing: Passing, _ next: IPAddress
  ) throws -> TraceStory {
    let bridge = passing.bridge
    guard let (target, _) = port(of: bridge, at: place, towards: next) else {
      return try stranded(frame, at: place, bridge, next)
    }
    if let wall = wall(between: passing.port, and: target) {
      return TraceStory(
        .dropped, at: place.name, "is dropped by bridge \(bridge.name): \(wall.why)",
        remedy: wall.remedy, frame)
    }
    var onward = frame
    onward.output = place.packetLink(target)
    let leave = { (frame: Packet) in
      try chains(.postrouting, frame, at: place, .frames) {
        try reachPort($0, at: place, bridge, target, next, hops: passing.hops)
      }
    }
    return try chains(.forward, onward, at: place, .frames) { frame in
      guard passing.isFiltered else { return try leave(frame) }
      var upper = frame
      upper.input = place.packetLink(bridge)
      upper.output = place.packetLink(bridge)
      return try chains(.forward, upper, at: place) { upper in
        try chains(.postrouting, upper, at: place) { upper in
          var below = upper
          below.input = frame.input
          below.output = frame.output
          return try leave(below)
        }
      }
    }
  }

  /// Why a bridge does not pass a frame from one port to another, and what helps.
  private func wall(
    between port: Link, and target: Link
  ) -> (why: String, remedy: String)? {
    if port.index == target.index, !(port.bridgePort?.isHairpin ?? false) {
      return (
        "it would leave by the port it came in by, \(port.name), which is no hairpin port",
        "set \"hairpinMode\": true for the plugin bridge, or: bridge link set dev \(port.name) "
          + "hairpin on"
      )
    }
    if port.bridgePort?.isIsolated ?? false, target.bridgePort?.isIsolated ?? false {
      return (
        "the ports \(port.name) and \(target.name) are isolated from each other",
        "that is what \"portIsolation\" of the plugin bridge asks for"
      )
    }
    return nil
  }
}

extension TracePlace {
  /// Whether frames that pass a bridge are shown to the chains for IP packets. `br_netfilter`
  fileprivate func filtersBridged(_ family: IPFamily) throws -> Bool {
    let name = family == .v4 ? "bridge-nf-call-iptables" : "bridge-nf-call-ip6tables"
    return try setting(["net", "bridge", name]) == "1"
  }

  /// The hardware address of the link that has an address.
  func hardwareAddress(of address: IPAddress) -> HardwareAddress? {
    addresses.first { $0.address.address == address }
      .flatMap { link($0.linkIndex)?.hardwareAddress }
  }
}
