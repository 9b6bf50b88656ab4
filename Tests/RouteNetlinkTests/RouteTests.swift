import Addressing
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Routes", .needsRoot)
struct RouteTests {
  /// A pair with one address of each family, which need no detection.
  private func makePair(_ socket: borrowing RouteSocket) throws -> UInt32 {
    let pair = try PairFixture(socket)
    for text in ["10.1.2.3/24", "fd00:1::3/64"] {
      try socket.addAddress(
        AddressEntry(
          try InterfaceAddress(text), onLink: pair.link.index,
          flags: .withoutDuplicateDetection))
    }
    return pair.link.index
  }

  /// All routes but those that the kernel makes by itself, some while after an address was given.
  private func steadyRoutes() throws -> [SeenRoute] {
    try Witness.routes().filter {
      $0.table != RouteTable.local.rawValue && !$0.destination.hasPrefix("fe80:")
    }
  }

  /// Routes that plugins make, each with the witness's words for its destination.
  static let shapes: [Shape] = [
    Shape("0.0.0.0/0", via: "10.1.2.1"),
    Shape("::/0", via: "fd00:1::1"),
    Shape("10.5.0.0/16", via: "10.1.2.1", priority: 77, mtu: 1400, segment: 1360),
    Shape("fd00:5::/48", via: "fd00:1::1", priority: 77, mtu: 1400, segment: 1340),
    Shape("10.6.0.0/16", via: nil, scope: .link, source: "10.1.2.3"),
    Shape("fd00:6::/64", via: nil, source: "fd00:1::3"),
    Shape("10.7.0.0/16", via: "10.1.2.1", table: 100),
    Shape("10.8.0.0/16", via: "10.1.2.1", table: 5000),
    Shape("fd00:8::/64", via: "fd00:1::1", table: 5000),
    Shape("10.9.0.0/16", via: "192.0.2.1", isOnLink: true),
    Shape("10.10.0.0/16", via: "fd00:1::1"),
  ]

  struct Shape: CustomTestStringConvertible, Sendable {
    var destination: String
    var gateway: String?
    var priority: UInt32?
    var mtu: UInt32?
    var segment: UInt32?
    var scope: RouteScope
    var source: String?
    var table: UInt32
    var isOnLink: Bool

    init(
      _ destination: String, via gateway: String?, priority: UInt32? = nil, mtu: UInt32? = nil,
      segment: UInt32? = nil, scope: RouteScope = .universe, source: String? = nil,
      table: UInt32 = 254, isOnLink: Bool = false
    ) {
      self.destination = destination
      self.gateway = gateway
      self.priority = priority
      self.mtu = mtu
      self.segment = segment
      self.scope = scope
      self.source = source
      self.table = table
      self.isOnLink = isOnLink
    }

    var testDescription: String { "\(destination) table \(table)" }

    func entry(onLink index: UInt32) throws -> RouteEntry {
      var entry = RouteEntry(
        to: try Subnet(destination), via: try gateway.map { try IPAddress($0) }, onLink: index,
        scope: scope)
      entry.priority = priority
      entry.mtu = mtu
      entry.segmentSize = segment
      entry.source = try source.map { try IPAddress($0) }
      entry.table = RouteTable(rawValue: table)
      entry.isOnLink = isOnLink
      return entry
    }
  }

  @Test("are added with all that they say, read back alike, and deleted", arguments: shapes)
  func addsAndDeletes(shape: Shape) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      let before = try steadyRoutes()
      let entry = try shape.entry(onLink: index)
      try socket.addRoute(entry)

      let new = try steadyRoutes().filter { !before.contains($0) }
      #expect(new.count == 1)
      let seen = new.first
      #expect(seen?.destination == shape.destination)
      #expect(seen?.gateway == shape.gateway)
      #expect(seen?.linkIndex == index)
      #expect(seen?.table == shape.table)
      #expect(seen?.mtu == shape.mtu)
      #expect(seen?.advertisedMSS == shape.segment)
      #expect(seen?.preferredSource == shape.source)
      if let priority = shape.priority { #expect(seen?.priority == priority) }
      if entry.destination.family == .v4 { #expect(seen?.scope == shape.scope.rawValue) }

      let listed = try socket.routes(
        family: entry.destination.family, table: entry.table, linkIndex: index)
      let read = listed.first { $0.destination == entry.destination }
      #expect(read?.gateway == entry.gateway)
      #expect(read?.mtu == entry.mtu)
      #expect(read?.segmentSize == entry.segmentSize)
      #expect(read?.source == entry.source)
      #expect(read?.isOnLink == entry.isOnLink)

      let twice = #expect(throws: NetlinkError.self) { try socket.addRoute(entry) }
      #expect(twice?.isAlreadyThere == true)
      try socket.deleteRoute(entry)
      #expect(try steadyRoutes() == before)
      let gone = #expect(throws: NetlinkError.self) { try socket.deleteRoute(entry) }
      #expect(gone?.isNotFound == true)
    }
  }

  @Test("take the place of others if asked")
  func replaces() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      var entry = RouteEntry(
        to: .everything(.v4), via: try IPAddress("10.1.2.1"), onLink: index)
      try socket.addRoute(entry)
      entry.gateway = try IPAddress("10.1.2.9")
      try socket.addRoute(entry, .inItsPlace)
      let seen = try Witness.routes().filter { $0.destination == "0.0.0.0/0" }
      #expect(seen.map(\.gateway) == ["10.1.2.9"])
    }
  }

  @Test("can stand beside others if asked")
  func standsBeside() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      var entry = RouteEntry(
        to: .everything(.v4), via: try IPAddress("10.1.2.1"), onLink: index)
      try socket.addRoute(entry)
      entry.gateway = try IPAddress("10.1.2.9")
      try socket.addRoute(entry, .beside)
      let seen = try Witness.routes().filter { $0.destination == "0.0.0.0/0" }
      #expect(seen.count == 2)
      let twice = #expect(throws: NetlinkError.self) { try socket.addRoute(entry, .beside) }
      #expect(twice?.isAlreadyThere == true)
    }
  }

  @Test("the automatic one of an address is deleted whatever made it")
  func deletesAutomatic() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      for text in ["10.1.2.0/24", "fd00:1::/64"] {
        var entry = RouteEntry(to: try Subnet(text), onLink: index, scope: .nowhere)
        entry.origin = .any
        try socket.deleteRoute(entry)
        #expect(try !Witness.routes().contains { $0.destination == text && $0.table == 254 })
      }
    }
  }

  @Test("to one address are found, or known to be missing")
  func findsRoute() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      for (address, gateway) in [("192.0.2.7", "10.1.2.1"), ("2001:db8::7", "fd00:1::1")] {
        let destination = try IPAddress(address)
        #expect(try socket.findRoute(to: destination) == nil)
        let entry = RouteEntry(
          to: .everything(destination.family), via: try IPAddress(gateway), onLink: index)
        try socket.addRoute(entry)
        let found = try socket.findRoute(to: destination)
        #expect(found?.gateway == entry.gateway)
        #expect(found?.linkIndex == index)
      }
    }
  }

  @Test(
    "to an address are told as configured too, whatever was learnt of the way",
    arguments: [
      ("10.9.0.0/16", "10.1.2.1", "10.9.1.1"), ("fd00:9::/64", "fd00:1::1", "fd00:9::1"),
    ])
  func findsConfiguredRoute(subnet: String, gateway: String, address: String) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let index = try makePair(socket)
      var entry = RouteEntry(to: try Subnet(subnet), via: try IPAddress(gateway), onLink: index)
      entry.mtu = 1400
      try socket.addRoute(entry)
      let found = try socket.findRoutes(to: [try IPAddress(address)], asConfigured: true)
      #expect(found.map { $0?.destination } == [entry.destination])
      #expect(found.map { $0?.mtu } == [1400])
      let none = try socket.findRoutes(to: [try IPAddress("192.0.2.1")], asConfigured: true)
      #expect(none == [nil])
    }
  }

  @Test("of a table that does not exist are none")
  func listsMissingTable() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      for family in IPFamily.allCases {
        #expect(try socket.routes(family: family, table: RouteTable(rawValue: 4711)).isEmpty)
      }
    }
  }

  @Test("all in one send: address, link and route, with an answer each")
  func sendsAllAtOnce() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      var up = LinkChange(.index(pair.link.index))
      up.isUp = true
      let answers = try socket.batch([
        .addAddress(AddressEntry(try InterfaceAddress("10.1.2.3/24"), onLink: pair.link.index)),
        .changeLink(up),
        .addRoute(RouteEntry(to: .everything(.v4), via: try IPAddress("10.1.2.1"))),
        .addRoute(RouteEntry(to: .everything(.v4), via: try IPAddress("203.0.113.1"))),
      ])
      #expect(throws: Never.self) { try answers[0].get() }
      #expect(throws: Never.self) { try answers[1].get() }
      #expect(throws: Never.self) { try answers[2].get() }
      let error = #expect(throws: NetlinkError.self) { try answers[3].get() }
      #expect(error?.operation.hasPrefix("add route 0.0.0.0/0 via 203.0.113.1") == true)
      #expect(try Witness.routes().filter { $0.destination == "0.0.0.0/0" }.count == 1)
    }
  }
}
