internal import Addressing
internal import Linux
internal import RouteNetlink
internal import RulesetWalk

extension TraceWalk {
  /// A packet that has arrived.
  func deliver(_ packet: Packet, to place: TracePlace) throws -> TraceStory {
    var story = TraceStory(
      .reaches, at: place.name,
      "reaches \(place.name) at \(packet.destination.withPort(packet.destinationPort)), which sees "
        + "\(packet.source)", packet)
    story.ending?.isHeard = try place.hears(packet)
    return story
  }

  /// A packet for which there is no way.
  ///
  /// - Parameters:
  ///   - packet: the packet.
  ///   - place: where it is.
  ///   - answer: what the kernel says about its route.
  ///   - link: the link it came in by; nil if the place sends it itself.
  /// - Returns: how it ends.
  /// - Throws: `SystemError` when a setting cannot be read.
  func unreachable(
    _ packet: Packet, at place: TracePlace, _ answer: RouteAnswer, by link: Link? = nil
  ) throws -> TraceStory {
    guard case .refused(let errno) = answer else {
      return TraceStory(
        .unreachable, at: place.name,
        "stops at \(place.name): its route to \(packet.destination) leads nowhere",
        remedy: "see: ip route get \(packet.destination)", packet)
    }
    let route = "see: ip route get \(packet.destination)"
    let isFiltered = try link.map { try place.filtersSource(of: packet, by: $0) } ?? false
    switch errno.name {
    case "EXDEV",
      "EINVAL" where isFiltered:
      let name = link?.name.text ?? "all"
      return TraceStory(
        .dropped, at: place.name,
        "is dropped at \(place.name) by its reverse path filter: answers to \(packet.source) would "
          + "not leave by \(name), by which it came in",
        remedy: "correct the route to \(packet.source), or: sysctl -w "
          + "net.ipv4.conf.\(name).rp_filter=2", packet)
    case "EINVAL":
      return TraceStory(
        .dropped, at: place.name,
        "is dropped at \(place.name): a route drops what goes to \(packet.destination), or "
          + "\(packet.source) cannot be the source of what comes in"
          + (link.map { " by \($0.name)" } ?? ""), remedy: route, packet)
    case "EACCES":
      return TraceStory(
        .refused, at: place.name,
        "is refused at \(place.name): a route forbids to go to \(packet.destination)",
        remedy: route, packet)
    default:
      if let link, let closed = try notForwarded(packet, at: place, by: link) { return closed }
      return TraceStory(
        .unreachable, at: place.name,
        "stops at \(place.name): it has no route to \(packet.destination)",
        remedy: "add one, or see: ip route show table all", packet)
    }
  }

  /// The end of a packet that is for another, at a place that passes nothing on; nil if it does.
  func notForwarded(
    _ packet: Packet, at place: TracePlace, by link: Link
  ) throws -> TraceStory? {
    let name =
      packet.family == .v4
      ? ["net", "ipv4", "conf", link.name.text, "forwarding"]
      : ["net", "ipv6", "conf", "all", "forwarding"]
    guard try place.setting(name) == "0" else { return nil }
    let remedy =
      packet.family == .v4 ? "net.ipv4.ip_forward=1" : "net.ipv6.conf.all.forwarding=1"
    return TraceStory(
      packet.family == .v4 ? .unreachable : .dropped, at: place.name,
      "stops at \(place.name), which passes no \(packet.family) packets on from \(link.name): "
        + "forwarding is off", remedy: "sysctl -w \(remedy)", packet)
  }
}

extension TracePlace {
  /// Whether the reverse path filter drops a packet that came in by a link.
  ///
  /// Asked here, since kernels from 6.13 on no longer say so. RFC 3704
  fileprivate func filtersSource(of packet: Packet, by link: Link) throws -> Bool {
    guard packet.family == .v4 else { return false }
    // The stricter of both is in force: 1 is strict, 2 is loose.
    let modes = try ["all", link.name.text].compactMap {
      try setting(["net", "ipv4", "conf", $0, "rp_filter"]).flatMap { Int($0) }
    }
    guard let mode = modes.max(), mode > 0 else { return false }
    guard case .route(let route) = try answer(RouteQuery(to: packet.source)) else { return true }
    return mode == 1 && route.linkIndex != link.index && route.type == .unicast
  }

  /// Whether somebody listens at a packet's destination; nil if that cannot be seen.
  ///
  /// Kernel name: `/proc/net/tcp` and its like.
  func hears(_ packet: Packet) throws -> Bool? {
    let name = packet.transport.name
    let lists = packet.family == .v4 ? [name, "\(name)6"] : ["\(name)6"]
    var isSeen = false
    for list in lists {
      guard let text = try networkFile(list) else { continue }
      isSeen = true
      for line in text.split(separator: "\n").dropFirst() {
        if SocketLine(line)?.takes(packet) ?? false { return true }
      }
    }
    return isSeen ? false : nil
  }
}

/// A line of `/proc/net/tcp` or its like.
private struct SocketLine {
  let address: [UInt8]
  let port: UInt16
  let state: Substring

  init?(_ line: Substring) {
    let words = line.split(separator: " ")
    guard words.count > 3 else { return nil }
    let parts = words[1].split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1], radix: 16) else { return nil }
    // Four bytes at a time, as a number of this host.
    var address: [UInt8] = []
    var rest = parts[0][...]
    while let word = UInt32(rest.prefix(8), radix: 16), rest.count >= 8 {
      address += (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
      rest = rest.dropFirst(8)
    }
    self.address = address
    self.port = port
    state = words[3]
  }

  /// Whether a first packet would come to this socket: `TCP_LISTEN`, or unconnected for UDP.
  func takes(_ packet: Packet) -> Bool {
    guard port == packet.destinationPort, state == (packet.transport == .tcp ? "0A" : "07") else {
      return false
    }
    let wanted = packet.destination.bytes
    let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + wanted
    return address.allSatisfy { $0 == 0 } || address == wanted || address == mapped
  }
}
