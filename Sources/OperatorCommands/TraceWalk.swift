internal import Addressing
internal import Nftables
internal import RouteNetlink
internal import RulesetWalk

/// Follows a packet from place to place, in the order in which the kernel takes its decisions.
///
/// Each stage does its part and hands the packet to the next; what comes back is the story from
/// there on. Where a number is drawn, the story parts.
struct TraceWalk {
  let host: TracePlace
  let report: NodeReport
  private let services: TraceServices
  private let pods = OpenedPods()
  /// How many namespaces a packet may pass before it is taken for lost.
  private static let longest = 8

  init(_ host: TracePlace, _ ends: TraceEnds) {
    self.host = host
    report = ends.report
    services = ends.services
  }

  /// Pods whose namespaces have been opened, by container.
  private final class OpenedPods {
    var places: [String: TracePlace] = [:]
  }

  /// The place of a pod.
  ///
  /// - Throws: ``OperatorFailure`` if its namespace is not known.
  func place(of pod: NodeReport.Pod) throws -> TracePlace {
    if let known = pods.places[pod.container] { return known }
    guard let path = pod.namespacePath else {
      throw OperatorFailure(
        "where the namespace of \(pod.name) is, is not known: only an address is taken by it")
    }
    let place = try TracePlace("pod \(pod.name)", pod: pod, at: path)
    pods.places[pod.container] = place
    return place
  }

  /// Sends a packet through the chains of a place, and goes on with each way it may take.
  func chains(
    _ hook: Hook.Place, _ packet: Packet, at place: TracePlace,
    _ layer: HookWalk.Layer = .packets, then next: (Packet) throws -> TraceStory
  ) throws -> TraceStory {
    let walk = HookWalk(try place.ruleset(), place.facts)
    let station = layer == .frames ? "bridge \(hook)" : "\(hook)"
    var ways: [TraceStory.Way] = []
    for passage in walk.pass(packet, through: hook, layer) {
      var story = try story(of: passage, at: place, station, next)
      story.doubts.insert(contentsOf: passage.doubts, at: 0)
      let steps = passage.events.map { event in
        let account = place === host ? services.account(of: event, in: passage) : nil
        return TraceStory.Step(
          place: place.name, station: station, what: event.text,
          why: account?.sentence ?? event.reason, service: account?.service)
      }
      ways.append(TraceStory.Way(share: passage.share, story: story.after(steps)))
    }
    if ways.count == 1, let only = ways.first { return only.story }
    return TraceStory(ways: ways)
  }

  /// What becomes of a packet behind a hook.
  private func story(
    of passage: Passage, at place: TracePlace, _ station: String,
    _ next: (Packet) throws -> TraceStory
  ) throws -> TraceStory {
    let (kind, word, decision): (TraceStory.Ending.Kind, String, Decision)
    switch passage.ending {
    case .passes: return try next(passage.packet)
    case .queued(let decision):
      return TraceStory(
        .unknown, at: place.name, "is handed to a program by \(decision.text)", passage.packet)
    case .dropped(let by): (kind, word, decision) = (.dropped, "dropped", by)
    case .refused(let by): (kind, word, decision) = (.refused, "refused", by)
    }
    let account = place === host ? services.account(of: decision, passage.packet) : nil
    var story = TraceStory(
      kind, at: place.name,
      "is \(word) at \(station) of \(place.name) by \(account?.sentence ?? decision.text)",
      remedy: account?.remedy ?? decision.remedy, passage.packet)
    story.ending?.service = account?.service
    return story
  }

  /// A packet that a place itself sends.
  func send(_ packet: Packet, from place: TracePlace, hops: Int = 0) throws -> TraceStory {
    var query = query(packet)
    if packet.source.isUnspecified { query.source = nil }
    guard case .route(let route) = try place.answer(query), let link = place.link(route.linkIndex)
    else { return try unreachable(packet, at: place, try place.answer(query)) }
    var packet = packet
    if packet.source.isUnspecified { packet.source = route.source ?? packet.source }
    packet.output = place.packetLink(link)
    let step = step(place, route, link, packet.destination, "from \(packet.source)")
    return try chains(.output, packet, at: place) { out in
      var out = out
      var way = (route: route, link: link)
      var moved: [TraceStory.Step] = []
      if out.destination != packet.destination || out.mark != packet.mark {
        let again = try place.answer(self.query(out))
        guard case .route(let route) = again, let link = place.link(route.linkIndex) else {
          return try unreachable(out, at: place, again)
        }
        out.output = place.packetLink(link)
        way = (route, link)
        moved = [self.step(place, route, link, out.destination, nil)]
      }
      return try postrouting(out, at: place, way.route, way.link, hops: hops).after(moved)
    }.after(step)
  }

  /// A packet that has come in by a link and is not a frame between ports of a bridge.
  func arrive(
    _ packet: Packet, at place: TracePlace, by link: Link, hops: Int
  ) throws -> TraceStory {
    guard hops < Self.longest else {
      return TraceStory(.unknown, at: place.name, "goes round in a circle", packet)
    }
    var packet = packet
    packet.input = place.packetLink(link)
    packet.output = nil
    return try chains(.prerouting, packet, at: place) {
      try routeIn($0, at: place, by: link, hops: hops)
    }
  }

  /// Decides whether a packet that came in is for the place itself, or for another.
  func routeIn(
    _ packet: Packet, at place: TracePlace, by link: Link, hops: Int
  ) throws -> TraceStory {
    var query = query(packet)
    query.inputIndex = link.index
    let answer = try place.answer(query)
    guard case .route(let route) = answer else {
      return try unreachable(packet, at: place, answer, by: link)
    }
    if route.type == .local || route.type == .broadcast {
      return try chains(.input, packet, at: place) { try deliver($0, to: place) }
    }
    guard let output = place.link(route.linkIndex), route.type == .unicast else {
      return try unreachable(packet, at: place, answer, by: link)
    }
    if let closed = try notForwarded(packet, at: place, by: link) { return closed }
    var onward = packet
    onward.output = place.packetLink(output)
    return try chains(.forward, onward, at: place) {
      try postrouting($0, at: place, route, output, hops: hops)
    }.after(step(place, route, output, packet.destination, nil))
  }

  private func postrouting(
    _ packet: Packet, at place: TracePlace, _ route: RouteEntry, _ link: Link, hops: Int
  ) throws -> TraceStory {
    try chains(.postrouting, packet, at: place) { packet in
      if route.type == .local || link.name.text == "lo" {
        return try comeBack(packet, at: place, place.link(named: "lo") ?? link)
      }
      return try leave(
        packet, place, by: link, to: route.gateway ?? packet.destination, hops: hops)
    }
  }

  /// What one sends to oneself: it keeps its connection and its route, and is not asked for one.
  private func comeBack(
    _ packet: Packet, at place: TracePlace, _ loopback: Link
  ) throws -> TraceStory {
    var packet = packet
    packet.input = place.packetLink(loopback)
    packet.output = nil
    return try chains(.prerouting, packet, at: place) { packet in
      try chains(.input, packet, at: place) { try deliver($0, to: place) }
    }
  }

  func query(_ packet: Packet) -> RouteQuery {
    var query = RouteQuery(to: packet.destination, from: packet.source)
    query.mark = packet.mark
    query.transport = packet.transport
    query.destinationPort = packet.destinationPort
    return query
  }

  private func step(
    _ place: TracePlace, _ route: RouteEntry, _ link: Link, _ destination: IPAddress,
    _ addition: String?
  ) -> TraceStory.Step {
    let how =
      route.type == .local
      ? "\(destination) is its own"
      : route.gateway.map { "\(destination) is behind \($0) on \(link.name)" }
        ?? "\(destination) is on link \(link.name)"
    let table =
      route.table == .main || route.table == .local ? nil : "table \(route.table.rawValue)"
    return TraceStory.Step(
      place: place.name, station: "route",
      what: ([how] + (addition.map { [$0] } ?? [])).joined(separator: ", "),
      why: table.map { "a routing rule that leads to \($0)" })
  }
}
