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
        return try lab.speak(client, .udp, to: try IPAddress(address), port).pod
      }
    }
    let homes = try speak()
    try #require(Set(homes) == [0, 1])
    // Straight to the pod that will leave the service, and to it by another service.
    let direct = try client(lab, way, port: 41_000)
    #expect(try lab.speak(direct, .udp, to: try ServiceLab.address(0, family), 8080).pod == 0)
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
      try lab.speak(early, .udp, to: try IPAddress(way.node), 30_080, patience: 300) == .silence)
    #expect(try own.answerDatagram() == way.outside)
    let passing = try client(lab, way, port: 42_001)
    #expect(try lab.speak(passing, .udp, to: try ServiceLab.address(1, family), 8080).pod == 1)
    let known = try flows(lab)

    let after = [try way.nodePort([2]), try way.cluster([2])]
    try lab.change([], after)
    #expect(
      try lab.speak(early, .udp, to: try IPAddress(way.node), 30_080, patience: 300) == .silence)
    try forget(lab, [], after)
    #expect(known.subtracting(try flows(lab)).count == 1)
    #expect(try lab.speak(early, .udp, to: try IPAddress(way.node), 30_080).pod == 2)
    // What changes nothing for datagrams asks nobody.
    let silent = NetlinkSocket<ConntrackFamily>(replaying: Transcript())
    try StaleFlows.forget(from: after, to: after, isOwn: { _ in true }, on: silent)
    let tcp = [try Way(transport: .tcp, family: family).cluster([1])]
    try StaleFlows.forget(from: tcp, to: [], isOwn: { _ in true }, on: silent)
  }
}
