import Addressing
import Linux
import Netlink
import Plumbing
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Addresses on the uplink", .needsRoot)
struct UplinkAddressesTests {
  /// A host with an uplink and a default route of each family, and a neighbour on that link.
  struct Lab: ~Copyable {
    let host: FreshNamespace
    let neighbour: FreshNamespace
    static let wanted = ["198.51.100.200", "2001:db8:5::c8"]

    init() throws {
      let host = try FreshNamespace()
      let neighbour = try FreshNamespace()
      try host.run { try Self.skipAddressDetection() }
      try neighbour.run { try Self.skipAddressDetection() }
      let path = neighbour.path
      try host.run {
        try PacketLab.ip("link add up0 type veth peer name wire netns \(path)")
        for line in [
          "link set up0 up", "addr add 198.51.100.1/24 dev up0",
          "addr add 2001:db8:5::1/64 dev up0 nodad", "route add default via 198.51.100.254",
          "route add default via 2001:db8:5::fe dev up0",
        ] { try PacketLab.ip(line) }
      }
      try neighbour.run {
        for line in [
          "link set wire up", "addr add 198.51.100.2/24 dev wire",
          "addr add 2001:db8:5::2/64 dev wire nodad",
        ] { try PacketLab.ip(line) }
      }
      self.host = host
      self.neighbour = neighbour
    }

    private static func skipAddressDetection() throws {
      for name in ["all", "default"] {
        try Sysctl.write(["net", "ipv6", "conf", name, "accept_dad"], "0")
      }
    }

    @discardableResult
    func settle(
      _ wanted: [String], former: [String] = [], by link: String? = nil, announcing: Bool = false
    ) throws -> [String] {
      let wanted = Set(try wanted.map { try IPAddress($0) })
      let former = Set(try former.map { try IPAddress($0) })
      let link = try link.map { try InterfaceName($0) }
      return try host.run {
        try UplinkAddresses.settle(wanted, former: former, by: link, announcingAll: announcing)
      }
    }

    func addresses(on link: String = "up0") throws -> [String] {
      try host.run { try Witness.addresses(on: link) }
    }

    func ip(_ line: String) throws { try host.run { _ = try PacketLab.ip(line) } }
  }

  static let own = ["198.51.100.1/24", "2001:db8:5::1/64"]

  @Test("are there by themselves, say whose they are, and are nobody's source")
  func adds() throws {
    let lab = try Lab()
    #expect(try lab.settle(Lab.wanted) == [])
    let seen = try lab.host.run { try Witness.addresses() }.filter {
      Lab.wanted.contains($0.address)
    }
    #expect(seen.map(\.prefixLength).sorted() == [32, 128])
    for address in seen {
      #expect(address.origin == 196 && address.isPermanent && !address.isTentative)
      #expect(address.prefixLength == 32 ? address.scope == 254 : address.isDeprecated)
    }
    let routes = try lab.host.run { try Witness.routes() }
    #expect(!routes.contains { $0.table == 254 && Lab.wanted.contains($0.destination) })
    // Even where no other address is nearer to whom the host speaks to.
    try lab.ip("route add 203.0.113.128/25 dev up0")
    for (target, source) in [
      ("203.0.113.9", "198.51.100.1"), ("203.0.113.200", "198.51.100.1"),
      ("239.1.2.3", "198.51.100.1"), ("2001:db8:5::c9", "2001:db8:5::1"),
    ] {
      let way = try lab.host.run { try PacketLab.ip("route get \(target)") }
      #expect(way.contains("src \(source) "), "\(way)")
    }
    #expect(
      try lab.host.run { try NodeAddresses.primary() }.map(\.description) == [
        "198.51.100.1", "2001:db8:5::1",
      ])
    // Without a default route it is the first address of a link, and not one of these.
    try lab.ip("-6 route del default")
    try lab.ip("route del default")
    #expect(
      try lab.host.run { try NodeAddresses.primary() }.map(\.description) == [
        "198.51.100.1", "2001:db8:5::1",
      ])
    let before = try lab.host.run { try Witness.snapshot() }
    try lab.settle(Lab.wanted, by: "up0", announcing: true)
    let after = try lab.host.run { try Witness.snapshot() }
    #expect(Witness.difference(from: before, to: after) == [])
  }

  @Test("go when they are not wanted, and no other goes, however alike it is")
  func removes() throws {
    let lab = try Lab()
    // Somebody else's: beside ours, one that is wanted too, and one that was ours by name once.
    for line in [
      "addr add 198.51.100.201/32 dev up0 noprefixroute",
      "addr add 198.51.100.202/32 dev up0 noprefixroute",
      "addr add 2001:db8:5::ca/128 dev up0 nodad noprefixroute",
    ] { try lab.ip(line) }
    try lab.host.run {
      let socket = try RouteSocket()
      let link = try socket.link(named: try InterfaceName("up0"))
      var entry = AddressEntry(try InterfaceAddress("203.0.113.7/32"), onLink: link.index)
      entry.origin = AddressOrigin(rawValue: 195)
      try socket.addAddress(entry)
    }
    let before = try lab.addresses()
    try lab.settle(Lab.wanted + ["198.51.100.201"])
    #expect(Set(try lab.addresses()).subtracting(before).count == 2)
    let all = Lab.wanted + ["198.51.100.201", "198.51.100.202", "2001:db8:5::ca", "203.0.113.7"]
    try lab.settle([Lab.wanted[1]], former: all)
    #expect(Set(try lab.addresses()).subtracting(before) == ["\(Lab.wanted[1])/128"])
    try lab.settle([], former: all)
    #expect(Set(try lab.addresses()) == Set(before))
  }

  @Test("move with the uplink, stay without one, and come back to a link that was made again")
  func moves() throws {
    let lab = try Lab()
    try lab.settle(Lab.wanted)
    let texts = Set(["\(Lab.wanted[0])/32", "\(Lab.wanted[1])/128"])
    try lab.ip("link add up1 type veth peer name wire1")
    #expect(try lab.settle(Lab.wanted, by: "up1").allSatisfy { $0.contains("not announced") })
    #expect(Set(try lab.addresses(on: "up1")) == texts)
    #expect(Set(try lab.addresses()) == Set(Self.own))
    // The name leads nowhere for a while: what is there stays.
    try lab.ip("link set up1 name up2")
    let problems = try lab.settle(Lab.wanted, by: "up1")
    #expect(problems.count == 2 && problems.allSatisfy { $0.contains("no link up1") })
    #expect(Set(try lab.addresses(on: "up2")) == texts)
    try lab.ip("link del up2")
    try lab.settle(Lab.wanted)
    #expect(Set(try lab.addresses()) == Set(Self.own).union(texts))
    try lab.ip("route del default")
    let without = try lab.settle(Lab.wanted)
    #expect(without.count == 1 && without[0].contains("no default route of IPv4"), "\(without)")
    #expect(without[0].contains(Lab.wanted[0]))
    #expect(Set(try lab.addresses()) == Set(Self.own).union(texts))
    try lab.settle([])
    #expect(Set(try lab.addresses()) == Set(Self.own))
  }

  @Test(
    "correct what neighbours remember of whoever had them before, and answer them",
    arguments: [0, 1])
  func announces(_ place: Int) throws {
    let lab = try Lab()
    let address = Lab.wanted[place]
    let own = try #require(try lab.host.run { try Witness.link(named: "up0")?.hardwareAddress })
    try lab.neighbour.run {
      _ = try PacketLab.ip("neigh replace \(address) lladdr 02:00:00:00:00:99 dev wire nud stale")
    }
    func known() throws -> String? {
      try lab.neighbour.run { try Witness.neighbours() }.first { $0.address == address }?
        .hardwareAddress
    }
    #expect(try known() == "02:00:00:00:00:99")
    // One frame may be lost, and so each apply tells all of them again.
    for _ in 0..<400 {
      #expect(try lab.settle([address], announcing: true) == [])
      if try known() == own.description { break }
    }
    #expect(try known() == own.description)
    #expect(try Traffic.pings(address, from: lab.neighbour))
  }
}
