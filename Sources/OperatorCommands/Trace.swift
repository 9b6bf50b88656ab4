internal import Addressing
internal import ArgumentParser
internal import CNI
internal import JSON
internal import Linux
internal import Netlink
internal import Nftables
internal import Plumbing
internal import RouteNetlink
internal import RulesetWalk

/// Says where the first packet of a new connection goes, and why.
struct Trace: Verb {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Say where a connection's first packet goes, and which rule or route decides it.",
    discussion: """
      Reads links, routes, neighbours and the nftables rules of everybody (of iptables-nft, \
      firewalld and Docker, too), in the pod and on the host, in the order in which the kernel asks \
      them. Nothing is sent and nothing is changed:

        cnictl trace shop/web 10.96.0.1:443
        cnictl trace shop/web shop/db:5432
        cnictl trace outside:198.51.100.7 192.0.2.1:8080
        cnictl trace host shop/web:80 --protocol udp --json

      A source is a pod (namespace/name, container ID or its beginning, address), "host", or \
      "outside:ADDRESS" for somebody beyond an uplink. A service is named as NAME or NAMESPACE/NAME, \
      its port by number or name; what its table does is told in its own words. Where a number is drawn, all ways are told \
      with their shares. A rule that cannot be evaluated is named, and what it would do.
      """)

  @Argument(help: ArgumentHelp("Who begins the connection.", valueName: "source"))
  var source: String

  @Argument(
    help: ArgumentHelp(
      "Where to: an address, a pod or a service, and a port; 80, or the service's first, if none is "
        + "named.", valueName: "destination"))
  var destination: String

  @Option(name: .customLong("protocol"), help: "What it speaks: tcp, or what the service speaks.")
  var spoken: TraceProtocol?

  @Flag(help: "Print JSON instead of lines.")
  var json = false

  @OptionGroup(title: "Where things are")
  var node: NodeOptions

  @OptionGroup(title: "Where services are")
  var services: ServiceOptions

  func perform(in surroundings: Surroundings) throws {
    let report = try node.report(on: nil, in: surroundings)
    for problem in report.problems { surroundings.warn(problem) }
    let ends = TraceEnds(
      report, services.known(in: surroundings),
      nodeAddresses: try NodeAddresses.primary())
    let source = try TraceSource(source, in: report)
    let target = try TraceTarget(destination, in: ends, from: source, spoken?.transport)
    let host = try TracePlace("host", at: nil)
    for note in try host.notes { surroundings.warn(note) }
    let story = try TraceWalk(host, ends).story(
      of: source, target, spoken?.transport ?? target.transport ?? .tcp)
    try surroundings.print(
      json ? JSONWriter.text(story.json, style: .indented(2)) : story.text())
  }
}

extension TraceWalk {
  /// What becomes of the first packet of a connection.
  func story(
    of source: TraceSource, _ target: TraceTarget, _ transport: Transport
  ) throws -> TraceStory {
    let story = try way(of: source, target, transport)
    guard let service = target.service else { return story }
    var told = story.after(
      TraceStory.Step(
        place: host.name, station: "service",
        what: "\(service) is asked at \(target.address.withPort(target.port))/\(transport.name)",
        service: service))
    if !story.isServed(by: service), told.ending != nil {
      told.ending?.remedy =
        "the rules of services have not met it: if the service is to answer here, make them anew "
        + "with: cnictl service apply"
    }
    return told
  }

  private func way(
    of source: TraceSource, _ target: TraceTarget, _ transport: Transport
  ) throws -> TraceStory {
    let unspecified = IPAddress(bits: 0, family: target.address.family)
    var packet = Packet(from: unspecified, to: target.address, port: target.port, transport)
    guard source.families.contains(target.address.family) else {
      throw OperatorFailure("the sender does not speak \(target.address.family)")
    }
    switch source {
    case .host: return try send(packet, from: host)
    case .pod(let pod, let address):
      packet.source = address ?? unspecified
      return try send(packet, from: try place(of: pod))
    case .outside(let address):
      packet.source = address
      guard case .route(let route) = try host.answer(RouteQuery(to: address)),
        let link = host.link(route.linkIndex), route.type == .unicast
      else {
        throw OperatorFailure("no link of this host leads to \(address)")
      }
      return try arrive(packet, at: host, by: link, hops: 0).after(
        TraceStory.Step(
          place: host.name, station: "link", what: "\(packet) comes in by \(link.name)"))
    }
  }
}

extension TracePlace {
  /// What sees packets and is not read here.
  var notes: [String] {
    get throws {
      var notes: [String] = []
      for name in ["ip_tables_names", "ip6_tables_names"] {
        let tables = try networkFile(name)?.split(separator: "\n").joined(separator: ", ") ?? ""
        if !tables.isEmpty {
          notes.append(
            "iptables-legacy has rules of its own (\(tables)), which see packets and are not read")
        }
      }
      for chain in try ruleset().chains where chain.hook != nil && chain.hook?.place == nil {
        let devices = chain.hook?.devices.joined(separator: ", ") ?? ""
        notes.append(
          "chain \(chain.name) of table \(chain.table) sees packets at \(devices) before all else, "
            + "and is not read")
      }
      return notes
    }
  }
}

/// What a packet carries, as far as it has ports that people trace.
enum TraceProtocol: String, CaseIterable, ExpressibleByArgument {
  case tcp
  case udp

  var transport: Transport { self == .tcp ? .tcp : .udp }
}
