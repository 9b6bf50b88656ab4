import Addressing
import Conntrack
import Netlink
import Services
import TestSupport
import Testing
import Witness

@Suite("When backends change, flows of datagrams", .needsRoot)
struct StaleFlowTests {
  /// A client that speaks from one port all the time, as those do whose flows never end.
  private func client(
    _ lab: ServiceLab, _ way: Way, port: UInt16, own: String? = nil
  ) throws -> NetSocket {
    let socket = try lab.outside.run { try NetSocket(way.transport, way.family) }
    try socket.bindClient(try IPAddress(own ?? way.outside), port: port)
    return socket
  }

  private func forget(_ lab: ServiceLab, _ old: [Frontend], _ new: [Frontend]) throws {
    let own = try ServiceLab.settings().nodeAddresses
    try lab.node.run {
      try StaleFlows.forget(
        from: old, to: new, isOwn: { address in own.contains { $0.contains(address) } },
        on: try NetlinkSocket<ConntrackFamily>())
    }
  }

  private func flows(_ lab: ServiceLab) throws -> Set<SeenFlow> {
    Set(try lab.node.run { try Witness.flows() }.filter { $0.transport == 17 })
  }

  @Test("to one that has gone are forgotten, and no others", arguments: IPFamily.allCases)
  func gone(family: IPFamily) throws {
    let way = Way(transport: .udp, family: family)
    let lab = try ServiceLab()
    let before = [try way.cluster([0, 1]), try way.nodePort([0, 1])]
    try lab.serve(before)
    let clients = try (0..<12).map { try client(lab, way, port: 40_000 + UInt16($0)) }
    let places = [(way.service, UInt16(80)), (way.node, UInt16(30_080))]
    func speak() throws -> [Int?] {
      try clients.enumerated().map { index, client in
        let (address, port) = places[index % 2]
        return try lab.speak(client, to: try IPAddress(address), port).pod
      }
    }
    let homes = try speak()
    try #require(Set(homes) == [0, 1])
    // Straight to the pod that will leave the service, and to it by another service.
    let direct = try client(lab, way, port: 41_000)
    #expect(try lab.speak(direct, to: try ServiceLab.address(0, family), 8080).pod == 0)
    let known = try flows(lab)

    let after = [try way.cluster([1]), try way.nodePort([1])]
    try lab.change(before, after)
    // Without forgetting, they would go on to the pod that has left.
    #expect(try speak() == homes)
    try forget(lab, before, after)
    let left = try flows(lab)
    #expect(left.isSubset(of: known))
    #expect(known.count - left.count == homes.count { $0 == 0 })
    #expect(try speak() == Array(repeating: 1, count: clients.count))
    #expect(try flows(lab).isSuperset(of: left))
  }

  @Test("that found nobody are forgotten once there is somebody", arguments: IPFamily.allCases)
  func new(family: IPFamily) throws {
    let way = Way(transport: .udp, family: family)
    let lab = try ServiceLab()
    // The port was the node's own before: somebody there answered.
    try lab.serve([])
    let own = try lab.node.run { try NetSocket(.udp, family) }
    try own.listen(at: try IPAddress(way.node), port: 30_080)
    let early = try client(lab, way, port: 42_000)
    #expect(
      try lab.speak(early, to: try IPAddress(way.node), 30_080, patience: 300) == .silence)
    #expect(try own.answerDatagram() == way.outside)
    let passing = try client(lab, way, port: 42_001)
    #expect(try lab.speak(passing, to: try ServiceLab.address(1, family), 8080).pod == 1)
    let known = try flows(lab)

    let after = [try way.nodePort([2]), try way.cluster([2])]
    try lab.change([], after)
    #expect(
      try lab.speak(early, to: try IPAddress(way.node), 30_080, patience: 300) == .silence)
    try forget(lab, [], after)
    #expect(known.subtracting(try flows(lab)).count == 1)
    #expect(try lab.speak(early, to: try IPAddress(way.node), 30_080).pod == 2)
    // What changes nothing for datagrams asks nobody.
    let silent = NetlinkSocket<ConntrackFamily>(replaying: Transcript())
    try StaleFlows.forget(from: after, to: after, isOwn: { _ in true }, on: silent)
    let tcp = [try Way(transport: .tcp, family: family).cluster([1])]
    try StaleFlows.forget(from: tcp, to: [], isOwn: { _ in true }, on: silent)
  }

  /// So many ports of a service, and so many of its backends that leave.
  struct Departure: Sendable, CustomTestStringConvertible {
    let family: IPFamily
    let ports: Int
    let backends: Int
    /// How often the kernel looks through its flows for it.
    let listings: Int
    /// Whether it tells flows that have nothing to do with either.
    let tellsAll: Bool

    var testDescription: String { "\(backends) from \(ports) ports, \(family)" }

    static let all = [
      Departure(family: .v4, ports: 1, backends: 1, listings: 1, tellsAll: false),
      Departure(family: .v4, ports: 3, backends: 1, listings: 1, tellsAll: false),
      Departure(family: .v4, ports: 9, backends: 2, listings: 2, tellsAll: false),
      Departure(family: .v4, ports: 2, backends: 9, listings: 2, tellsAll: false),
      Departure(family: .v4, ports: 9, backends: 9, listings: 1, tellsAll: true),
      Departure(family: .v6, ports: 3, backends: 1, listings: 3, tellsAll: false),
      Departure(family: .v6, ports: 9, backends: 1, listings: 1, tellsAll: true),
    ]
  }

  /// Collects what a socket tells of itself.
  private final class Notes {
    var exchanges: [Transcript.Exchange] = []
  }

  @Test("are looked for where they may be, and the same are forgotten", arguments: Departure.all)
  func departures(of departure: Departure) throws {
    let family = departure.family
    let isV4 = family == .v4
    func address(_ pod: Int) -> String { isV4 ? "10.1.2.\(pod)" : "fd00:1::\(pod)" }
    let (service, other) = isV4 ? ("10.96.0.1", "10.96.0.2") : ("fd96::1", "fd96::2")
    let client = isV4 ? "192.0.2.9" : "2001:db8::9"
    let ports = (0..<departure.ports).map { 5_000 + $0 }
    let staying = 100
    func frontends(_ pods: [Int]) throws -> [Frontend] {
      try ports.map { port in
        Frontend(
          .address(try IPAddress(service)), .udp, port: UInt16(port), for: .cluster,
          backends: try pods.map { Backend(try IPAddress(address($0)), port: 8080) })
      }
    }
    var lines: [String] = []
    func flow(_ protocolName: String, to place: String, _ port: Int, by pod: Int) {
      lines.append(
        "conntrack -I --timeout 600 -p \(protocolName) -s \(client) -d \(place) "
          + "--sport \(20_000 + lines.count) --dport \(port) --reply-src \(address(pod)) "
          + "--reply-dst \(client) --reply-port-src 8080 --reply-port-dst \(20_000 + lines.count)")
    }
    let leaving = Array(1...departure.backends)
    for port in ports { for pod in leaving { flow("udp", to: service, port, by: pod) } }
    let gone = lines.count
    for port in ports { flow("udp", to: service, port, by: staying) }
    // To those that leave, though not by these frontends; and to nobody of them.
    flow("udp", to: other, ports[0], by: 1)
    flow("udp", to: service, 6_000, by: 1)
    flow("udp", to: address(1), 8080, by: 1)
    flow("tcp --state ESTABLISHED", to: service, ports[0], by: 1)
    let related = lines.count
    for _ in 0..<20 { flow("udp", to: other, 7_000, by: staying) }

    let notes = Notes()
    let left = try FreshNamespace.run {
      _ = try Shell.run(lines.joined(separator: "\n"))
      try StaleFlows.forget(
        from: try frontends(leaving + [staying]), to: try frontends([staying]),
        isOwn: { _ in false },
        on: try NetlinkSocket<ConntrackFamily>(recording: { notes.exchanges.append($0) }))
      return try Witness.flows().map(\.original.sourcePort)
    }
    #expect(left.sorted() == (gone..<lines.count).map { UInt16(20_000 + $0) })
    // The last one is that which forgets.
    let listings = notes.exchanges.dropLast()
    #expect(listings.count == departure.listings)
    let told = listings.flatMap(\.datagrams).reduce(0) { $0 + Self.flowCount($1) }
    #expect(departure.tellsAll ? told == lines.count - 1 : told < related)
  }

  /// How many flows one datagram tells of: messages with the number of conntrack's, and its `NEW`.
  private static func flowCount(_ datagram: [UInt8]) -> Int {
    var count = 0
    var start = 0
    while start + 16 <= datagram.count {
      let length = Int(datagram[start]) | Int(datagram[start + 1]) << 8
      if datagram[start + 4] == 0, datagram[start + 5] == 1 { count += 1 }
      guard length >= 16 else { break }
      start += (length + 3) / 4 * 4
    }
    return count
  }
}
