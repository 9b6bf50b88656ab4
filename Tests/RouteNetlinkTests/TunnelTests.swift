import Addressing
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Tunnels through UDP", .needsRoot)
struct TunnelTests {
  /// A tunnel, and what an independent reader must see of it.
  struct Case: Sendable, CustomTestStringConvertible {
    let settings: VXLANSettings
    let testDescription: String

    init(_ settings: VXLANSettings, _ description: String) {
      self.settings = settings
      testDescription = description
    }
  }

  static func cases() throws -> [Case] {
    [
      Case(
        VXLANSettings(1, local: try IPAddress("10.1.2.3"), port: 8472), "over IPv4, as flannel's"),
      Case(
        VXLANSettings(16_777_215, local: try IPAddress("fd00:1::3"), port: 4789), "over IPv6"),
      Case(
        VXLANSettings(7, local: try IPAddress("10.1.2.3"), port: 8472, learns: true), "that learns"),
      Case(VXLANSettings(8, port: 8472), "from any address"),
    ]
  }

  @Test("are born with all that they say, and read back alike", arguments: try cases())
  func born(wanted: Case) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let name = try InterfaceName("flannel.1")
      let address = try HardwareAddress("02:00:00:00:00:01")
      let link = try socket.createLinkAndRead(
        NewLink(
          name, .vxlan(wanted.settings), mtu: try MTU(1450), hardwareAddress: address, flags: .up))
      #expect(link.settings == .vxlan(wanted.settings))
      let seen = try #require(try Witness.link(named: "flannel.1"))
      #expect(seen.kind == "vxlan")
      #expect(seen.mtu == 1450)
      #expect(seen.isUp)
      #expect(seen.hardwareAddress == address.description)
      #expect(seen.vxlan?.identifier == wanted.settings.identifier)
      #expect(seen.vxlan?.local == wanted.settings.local?.description)
      #expect(seen.vxlan?.port == wanted.settings.port)
      #expect(seen.vxlan?.learns == wanted.settings.learns)
    }
  }

  @Test("stand on a link if asked, and go with it")
  func standsOnLink() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      let name = try InterfaceName("flannel.1")
      let settings = VXLANSettings(1, port: 8472, linkIndex: pair.link.index)
      let link = try socket.createLinkAndRead(NewLink(name, .vxlan(settings)))
      #expect(link.settings == .vxlan(settings))
      #expect(try Witness.link(named: "flannel.1")?.vxlan?.link == pair.link.index)
      try socket.deleteLink(.name(pair.name))
      #expect(try Witness.link(named: "flannel.1") == nil)
    }
  }

  @Test(
    "find hardware addresses behind hosts, changed and forgotten one by one",
    arguments: [
      ["10.1.2.3", "192.0.2.7", "192.0.2.8"], ["fd00:1::3", "2001:db8::7", "2001:db8::8"],
    ])
  func forwards(addresses: [String]) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let settings = VXLANSettings(1, local: try IPAddress(addresses[0]), port: 8472)
      let tunnel = try socket.createLinkAndRead(
        NewLink(try InterfaceName("flannel.1"), .vxlan(settings), flags: .up))
      let before = try Witness.snapshot()
      let address = try HardwareAddress("02:00:00:00:00:02")
      let first = ForwardingEntry(
        address, onLink: tunnel.index, to: try IPAddress(addresses[1]))
      var second = first
      second.remote = try IPAddress(addresses[2])
      _ = try socket.batchAll([.replaceForwarding(first)])
      _ = try socket.batchAll([.replaceForwarding(second)])
      #expect(try Witness.forwardings().map(\.remote) == [addresses[2]])
      #expect(try Witness.forwardings().first?.isPermanent == true)
      #expect(try socket.forwardings(onLink: tunnel.index) == [second])
      #expect(try Witness.snapshot() != before)
      _ = try socket.batchAll([.deleteForwarding(second)])
      #expect(try Witness.snapshot() == before)
      let gone = #expect(throws: NetlinkError.self) {
        try socket.exchange(.deleteForwarding(second))
      }
      #expect(gone?.isNotFound == true)
    }
  }

  @Test("list their own entries and nobody else's")
  func listsOwnEntries() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let local = try IPAddress("10.1.2.3")
      var tunnels: [Link] = []
      for number in 1...2 {
        let link = try socket.createLinkAndRead(
          NewLink(
            try InterfaceName("flannel.\(number)"),
            .vxlan(VXLANSettings(UInt32(number), local: local, port: 8472)), flags: .up))
        tunnels.append(link)
        let address = try HardwareAddress("02:00:00:00:00:0\(number)")
        try socket.exchange(
          .replaceForwarding(
            ForwardingEntry(address, onLink: link.index, to: try IPAddress("192.0.2.\(number)"))))
      }
      #expect(try Witness.forwardings().count == 2)
      #expect(
        try socket.forwardings(onLink: tunnels[1].index).map(\.remote.description)
          == ["192.0.2.2"])
    }
  }

  @Test("have neighbours that say who made them", arguments: ["10.5.2.0", "fd00:5:2::"])
  func signsNeighbours(text: String) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      var neighbour = NeighbourEntry(
        try IPAddress(text), onLink: pair.link.index,
        hardwareAddress: try HardwareAddress("02:00:00:00:00:02"),
        origin: RouteOrigin(rawValue: 195))
      try socket.replaceNeighbour(neighbour)
      let seen = try Witness.neighbours().first { $0.address == text }
      #expect(seen?.origin == 195)
      let listed = try socket.neighbours(onLink: pair.link.index, family: neighbour.address.family)
      #expect(listed.contains(neighbour))
      neighbour.origin = nil
      #expect(!listed.contains(neighbour))
    }
  }

  @Test("send along routes found all at once, which tell link, gateway and MTU")
  func findsRoutes() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      try socket.addAddress(
        AddressEntry(try InterfaceAddress("10.1.2.3/24"), onLink: pair.link.index))
      var route = RouteEntry(
        to: try Subnet("10.9.0.0/16"), via: try IPAddress("10.1.2.1"), onLink: pair.link.index)
      route.mtu = 1400
      route.origin = RouteOrigin(rawValue: 195)
      try socket.addRoute(route)
      #expect(
        try Witness.routes().first { $0.destination == "10.9.0.0/16" }?.origin == 195)
      let listed = try socket.routes(family: .v4, origin: RouteOrigin(rawValue: 195))
      #expect(listed.map(\.destination.description) == ["10.9.0.0/16"])
      let found = try socket.findRoutes(
        to: [
          try IPAddress("10.1.2.9"), try IPAddress("10.9.1.1"), try IPAddress("10.10.0.1"),
          try IPAddress("2001:db8::1"),
        ])
      #expect(found.map { $0?.gateway?.description } == [nil, "10.1.2.1", nil, nil])
      #expect(found.map { $0?.linkIndex } == [pair.link.index, pair.link.index, nil, nil])
      #expect(found[1]?.mtu == 1400)
      #expect(found[1]?.source?.description == "10.1.2.3")
    }
  }
}
