import Addressing
import Overlay
import RouteNetlink
import Testing

@Suite("A plan for the flat network")
struct PlanTests {
  private func local(_ underlay: [String], _ backend: Backend, mtu: MTU? = nil) throws -> LocalNode
  {
    LocalNode(
      name: try NodeName("a"), underlay: try underlay.map { try IPAddress($0) },
      cluster: [try Subnet("10.5.0.0/16"), try Subnet("fd00:5::/32")],
      subnets: [try Subnet("10.5.1.0/24"), try Subnet("fd00:5:1::/64")], backend: backend, mtu: mtu)
  }

  private func peer(_ underlay: String...) throws -> Peer {
    Peer(
      name: try NodeName("b"), underlay: try underlay.map { try IPAddress($0) },
      subnets: [try Subnet("10.5.2.0/24"), try Subnet("fd00:5:2::/64")])
  }

  private func paths(_ all: (String, Int, String?)...) throws -> [IPAddress: UnderlayPath] {
    var paths: [IPAddress: UnderlayPath] = [:]
    for (address, mtu, gateway) in all {
      paths[try IPAddress(address)] = UnderlayPath(
        linkIndex: 2, gateway: try gateway.map { try IPAddress($0) }, mtu: mtu)
    }
    return paths
  }

  @Test("takes 50 bytes for a tunnel over IPv4, 70 over IPv6, off the smallest path")
  func limitsPackets() throws {
    let plan = try OverlayPlan(
      try local(["172.16.1.2", "fd00:100::1"], .vxlan(.init())),
      [try peer("172.16.2.2", "fd00:100::2")],
      try paths(
        ("172.16.1.2", 9000, nil), ("fd00:100::1", 9000, nil), ("172.16.2.2", 1500, "172.16.1.1"),
        ("fd00:100::2", 1600, "fe80::1")))
    #expect(plan.tunnels.map(\.mtu.bytes) == [1450, 1530])
    #expect(plan.mtu.bytes == 1450)
  }

  @Test("takes the other family where pods' own is not on both nodes")
  func crossesFamilies() throws {
    let plan = try OverlayPlan(
      try local(["172.16.1.2", "fd00:100::1"], .vxlan(.init())), [try peer("172.16.2.2")],
      try paths(("172.16.1.2", 1500, nil), ("fd00:100::1", 1500, nil), ("172.16.2.2", 1500, nil)))
    #expect(plan.ways.map(\.remote.description) == ["172.16.2.2", "172.16.2.2"])
    #expect(plan.problems == [])
  }

  @Test("says of peers that cannot be reached why")
  func tellsProblems() throws {
    let none = try OverlayPlan(
      try local(["172.16.1.2"], .vxlan(.init())), [try peer("fd00:100::2")],
      try paths(("172.16.1.2", 1500, nil)))
    #expect(none.ways == [])
    #expect(none.problems.first?.contains("no addresses of one family") == true)
    let far = try OverlayPlan(
      try local(["172.16.1.2"], .hostGateway), [try peer("172.16.2.2")],
      try paths(("172.16.1.2", 1500, nil), ("172.16.2.2", 1500, "172.16.1.1")))
    #expect(far.problems.first?.contains("behind a router") == true)
    #expect(far.problems.last?.contains("need an IPv6 address") == true)
    let wide = try OverlayPlan(
      try local(["172.16.1.2"], .vxlan(.init()), mtu: try MTU(1500)), [],
      try paths(("172.16.1.2", 1500, nil)))
    #expect(wide.problems == ["mtu 1500 is more than the 1450 bytes that reach every peer"])
  }

  @Test("gives IPv6 what it needs on paths that are too small, and says so")
  func fillsSmallPaths() throws {
    let plan = try OverlayPlan(
      try local(["172.16.1.2"], .vxlan(.init())), [], try paths(("172.16.1.2", 1300, nil)))
    #expect(plan.mtu.bytes == 1280)
    #expect(plan.tunnels.map(\.mtu.bytes) == [1280])
    #expect(
      plan.problems.first?.hasPrefix("1250 bytes are left for a packet, and IPv6 needs 1280")
        == true)
  }

  @Test("is reached in steps that touch what is ours and nothing else")
  func reconciles() throws {
    let link: UInt32 = 7
    let first = try HardwareAddress("02:00:00:00:00:01")
    let second = try HardwareAddress("02:00:00:00:00:02")
    let theirs = try HardwareAddress("02:00:00:00:00:77")
    let base = try IPAddress("10.5.2.0")
    let remote = try IPAddress("172.16.2.2")
    var wanted = OverlayEntries()
    wanted.routes = [.init(try Subnet("10.5.2.0/24"), via: base, onLink: link, isOnLink: true)]
    wanted.neighbours = [.init(base, onLink: link, at: second)]
    wanted.forwardings = [ForwardingEntry(second, onLink: link, to: remote)]
    #expect(Reconciliation.steps(to: wanted, from: wanted) == [])

    var present = OverlayEntries()
    present.routes = [
      .init(try Subnet("10.5.2.0/24"), via: try IPAddress("172.16.2.2"), onLink: 2),
      .init(
        try Subnet("10.5.3.0/24"), via: try IPAddress("10.5.3.0"), onLink: link, isOnLink: true),
    ]
    present.neighbours = [.init(base, onLink: link, at: first)]
    present.forwardings = [
      ForwardingEntry(first, onLink: link, to: remote),
      ForwardingEntry(theirs, onLink: link, to: remote),
    ]
    #expect(
      Reconciliation.steps(to: wanted, from: present).map(\.summary) == [
        "set neighbour 10.5.2.0 on link #7",
        "set forwarding of 02:00:00:00:00:02 on link #7",
        "add route 10.5.2.0/24 via 10.5.2.0 on link #7",
        "delete route 10.5.2.0/24 via 172.16.2.2 on link #2",
        "delete route 10.5.3.0/24 via 10.5.3.0 on link #7",
        "delete forwarding of 02:00:00:00:00:01 from link #7",
      ])
    #expect(
      Reconciliation.steps(to: wanted, from: OverlayEntries()).allSatisfy {
        !$0.summary.hasPrefix("delete")
      })
  }
}
