import Addressing
import Linux
import Netlink
import RouteNetlink
import TestSupport
import Testing
import Witness

@Suite("Rules and neighbours", .needsRoot)
struct RuleAndNeighbourTests {
  @Test("a rule is added, listed and deleted", arguments: ["10.1.2.3/32", "fd00:1::3/128"])
  func addsRule(source: String) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let before = try Witness.rules()
      let subnet = try Subnet(source)
      var rule = RuleEntry(subnet.family, priority: 1000, table: RouteTable(rawValue: 5000))
      rule.source = subnet
      rule.input = "eth7"
      rule.mark = 0x42
      rule.origin = RouteOrigin(rawValue: 195)
      try socket.addRule(rule)
      let seen = try Witness.rules().filter { !before.contains($0) }
      #expect(seen.count == 1)
      #expect(seen.first?.table == 5000)
      #expect(seen.first?.priority == 1000)
      #expect(seen.first?.origin == 195)
      #expect(try socket.rules(subnet.family).contains(rule))
      let twice = #expect(throws: NetlinkError.self) { try socket.addRule(rule) }
      #expect(twice?.isAlreadyThere == true)
      // One of another's is another.
      var other = rule
      other.origin = .administrator
      let none = #expect(throws: NetlinkError.self) { try socket.deleteRule(other) }
      #expect(none?.isNotFound == true)
      try socket.deleteRule(rule)
      #expect(try Witness.rules() == before)
      let gone = #expect(throws: NetlinkError.self) { try socket.deleteRule(rule) }
      #expect(gone?.isNotFound == true)
    }
  }

  @Test("a neighbour is set, changed and forgotten", arguments: ["10.1.2.9", "fd00:1::9"])
  func setsNeighbour(text: String) throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      let address = try IPAddress(text)
      let first = try HardwareAddress("02:00:00:00:00:01")
      let second = try HardwareAddress("02:00:00:00:00:02")
      try socket.replaceNeighbour(
        NeighbourEntry(address, onLink: pair.link.index, hardwareAddress: first))
      try socket.replaceNeighbour(
        NeighbourEntry(address, onLink: pair.link.index, hardwareAddress: second))
      let seen = try Witness.neighbours().filter { $0.address == text }
      #expect(seen.map(\.hardwareAddress) == [second.description])
      #expect(seen.first?.isPermanent == true)
      let listed = try socket.neighbours(onLink: pair.link.index, family: address.family)
      #expect(listed.first { $0.address == address }?.hardwareAddress == second)
      try socket.deleteNeighbour(address, onLink: pair.link.index)
      #expect(try !Witness.neighbours().contains { $0.address == text && $0.isPermanent })
    }
  }

  @Test("a neighbour that nobody knows is told as not found")
  func refusesUnknownNeighbour() throws {
    try FreshNamespace.run {
      let socket = try RouteSocket()
      let pair = try PairFixture(socket)
      let error = #expect(throws: NetlinkError.self) {
        try socket.deleteNeighbour(try IPAddress("10.1.2.9"), onLink: pair.link.index)
      }
      #expect(error?.isNotFound == true)
    }
  }
}
