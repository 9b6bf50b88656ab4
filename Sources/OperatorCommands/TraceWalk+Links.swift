internal import Addressing
internal import Nftables
internal import RouteNetlink
internal import RulesetWalk

extension TraceWalk {
  /// A packet that leaves a place by a link, for a host on that link.
  func leave(
    _ packet: Packet, _ place: TracePlace, by link: Link, to next: IPAddress, hops: Int
  ) throws -> TraceStory {
    guard link.isUp else {
      return TraceStory(
        .unreachable, at: place.name, "stops at \(place.name): link \(link.name) is off",
        remedy: "ip link set \(link.name) up", packet)
    }
    switch link.kind {
    case "bridge":
      return try leaveByBridge(packet, place, link, to: next, hops: hops)
    case "veth":
      if let (other, end) = try otherEnd(of: link, at: place) {
        return try cross(packet, from: link, at: place, to: other, end, next, hops: hops)
      }
      if let pod = owner(of: link, at: place) {
        return TraceStory(
          .reaches, at: "pod \(pod.name)",
          "reaches \(pod.name), which sees \(packet.source); its namespace cannot be looked into",
          packet)
      }
      return try leave(packet, place, by: link, to: next, note: "")
    case "vxlan": return try leaveByTunnel(packet, place, link, to: next)
    default: return try leave(packet, place, by: link, to: next, note: "")
    }
  }

  /// A packet that goes where nothing can be read.
  private func leave(
    _ packet: Packet, _ place: TracePlace, by link: Link, to next: IPAddress, note: String
  ) throws -> TraceStory {
    let neighbour = try place.neighbour(next, on: link)
    let silence =
      neighbour?.state.contains(.failed) ?? false ? "; \(next) has not answered lately" : ""
    let way =
      next == packet.destination ? "by \(link.name)" : "by \(link.name) to the gateway \(next)"
    return TraceStory(
      .leaves, at: place.name,
      "leaves \(place.name) \(way); \(packet.destination.withPort(packet.destinationPort)) sees "
        + "\(packet.source)\(note)\(silence)", packet)
  }

  private func leaveByTunnel(
    _ packet: Packet, _ place: TracePlace, _ link: Link, to next: IPAddress
  ) throws -> TraceStory {
    guard let address = try place.neighbour(next, on: link)?.hardwareAddress,
      let remote = try place.remote(of: address, on: link)
    else {
      return TraceStory(
        .unreachable, at: place.name,
        "stops at \(place.name): the tunnel \(link.name) does not know behind which node \(next) is",
        remedy: "see: ip neighbour show dev \(link.name); bridge fdb show dev \(link.name)", packet)
    }
    return TraceStory(
      .leaves, at: place.name,
      "leaves \(place.name) through the tunnel \(link.name) to node \(remote), with source "
        + "\(packet.source)", packet)
  }

  /// A packet that comes out of one end of a pair and in at the other.
  private func cross(
    _ packet: Packet, from link: Link, at place: TracePlace, to other: TracePlace, _ end: Link,
    _ next: IPAddress, hops: Int
  ) throws -> TraceStory {
    var packet = packet
    // The kernel forgets what belongs to a namespace: connection and mark.
    packet.connection = nil
    packet.isUntracked = false
    packet.mark = 0
    packet.hardwareSource = link.hardwareAddress
    let step = TraceStory.Step(
      place: other.name, station: "link",
      what: "\(packet) comes in by \(end.name), from \(link.name) of \(place.name)")
    let master = other.link(end.masterIndex)
    let story =
      if let master, master.kind == "bridge" {
        try enterBridge(packet, at: other, master, by: end, to: next, hops: hops + 1)
      } else {
        // A port of a VRF shows the VRF to the rules of later hooks; the route is asked by the port.
        try arrive(packet, at: other, by: end, hops: hops + 1)
      }
    return story.after(step)
  }

  /// The other end of a pair of links, and whose it is; nil if that is not known.
  private func otherEnd(of link: Link, at place: TracePlace) throws -> (TracePlace, Link)? {
    if link.peerNamespaceID == nil, let peer = place.link(link.peerIndex),
      peer.peerIndex == link.index, peer.peerNamespaceID == nil
    {
      return (place, peer)
    }
    if place !== host {
      let ends = host.links.filter { $0.index == link.peerIndex && $0.peerIndex == link.index }
      return ends.first { $0.kind == "veth" }.map { (host, $0) }
    }
    guard let pod = owner(of: link, at: place), pod.namespacePath != nil else { return nil }
    let inside = try self.place(of: pod)
    return inside.links.first { $0.kind == "veth" && $0.index == link.peerIndex }
      .map { (inside, $0) }
  }

  /// The pod whose end on the host a link is, by the results of ADDs or by the link's alias.
  func owner(of link: Link, at place: TracePlace) -> NodeReport.Pod? {
    guard place === host else { return nil }
    let parts = (link.alias ?? "").split(separator: "/")
    return report.pods.first { pod in
      pod.attachments.contains { $0.attachment.hostLinks.contains(link.name.text) }
        || (parts.count == 3 && parts[1] == pod.container)
    }
  }
}
