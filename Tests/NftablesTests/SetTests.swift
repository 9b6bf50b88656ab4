import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing
import Witness

@Suite("A set", .needsRoot)
struct SetTests {
  private static let table = Table(family: .ipv4, name: "mine")
  private static let pods = NamedSet("pods", in: table, key: [.ipv4Address, .mark])
  private static let networks = NamedSet(
    "networks", in: table, key: [.ipv4Address], kind: .ranges)
  private static let allowed = NamedSet(
    "allowed", in: table, key: [.port, .ipv4Address], kind: .ranges)

  private static func address(_ bits: UInt128) -> IPAddress { IPAddress(bits: bits, family: .v4) }

  private static func base() -> Transaction {
    var transaction = Transaction()
    transaction.add(table)
    for set in [pods, networks, allowed] { transaction.add(set) }
    return transaction
  }

  @Test("takes and gives up thousands of elements in few messages, and all at once")
  func many() throws {
    let elements = (0..<5_000).map { number in
      Element(
        ElementKey(.address(Self.address(0x0a00_0000 + UInt128(number))), .mark(UInt32(number))),
        comment: "\(number)")
    }
    let (seen, kept, flushed) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var transaction = Self.base()
      transaction.add(elements, to: Self.pods, ifThere: .refused)
      try socket.commit(transaction)
      let seen = try Set(
        Witness.elements(inSet: "pods").map { "\($0.key.count) \($0.comment ?? "")" })

      var removal = Transaction()
      removal.delete(Array(elements.dropFirst(3)), from: Self.pods)
      try socket.commit(removal)
      let kept = try Witness.elements(inSet: "pods").compactMap(\.comment)

      var flush = Transaction()
      flush.flush(Self.pods)
      flush.flush(Self.networks)
      try socket.commit(flush)
      return (seen, kept, try Witness.elements(inSet: "pods").count)
    }
    #expect(seen == Set((0..<5_000).map { "8 \($0)" }))
    #expect(Set(kept) == ["0", "1", "2"])
    #expect(flushed == 0)
  }

  @Test("of ranges holds them from the first to the last key there can be")
  func ranges() throws {
    let ranges = [
      (0, 0x0900_0000), (0x0a00_0000, 0x0a00_00ff), (0x7f00_0001, 0x7f00_0001),
      (0x8000_0000, 0xffff_ffff),
    ].map { first, last in
      Element(
        from: ElementKey(.address(Self.address(first))),
        through: ElementKey(.address(Self.address(last))))
    }
    let (listed, text, count) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var transaction = Self.base()
      transaction.add(ranges, to: Self.networks, ifThere: .refused)
      try socket.commit(transaction)
      return (
        try socket.elements(of: Self.networks), try nft(["list", "set", "ip", "mine", "networks"]),
        try Witness.elements(inSet: "networks").count
      )
    }
    #expect(Set(listed) == Set(ranges))
    // A start and an end of each, but nothing comes behind the last key.
    #expect(count == 7)
    for range in ["0.0.0.0-9.0.0.0", "10.0.0.0/24", "127.0.0.1", "128.0.0.0/1"] {
      #expect(text.contains(range), "\(text)")
    }
  }

  @Test("of keys with several parts may hold ranges of the last part")
  func rangesOfParts() throws {
    let ranges = [(0x0a00_0000, 0x0aff_ffff), (0xc000_0201, 0xc000_0201)].map { first, last in
      Element(
        from: ElementKey(.port(80), .address(Self.address(first))),
        through: ElementKey(.port(80), .address(Self.address(last))))
    }
    let (listed, seen) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var transaction = Self.base()
      transaction.add(ranges, to: Self.allowed, ifThere: .refused)
      try socket.commit(transaction)
      return (try socket.elements(of: Self.allowed), try Witness.elements(inSet: "allowed"))
    }
    #expect(Set(listed.map { $0.last ?? $0.key }) == Set(ranges.map { $0.last ?? $0.key }))
    #expect(Set(seen.map(\.key)) == [[0, 80, 0, 0, 10, 0, 0, 0], [0, 80, 0, 0, 192, 0, 2, 1]])
  }

  @Test("is told from one that is not there, as are tables and chains")
  func presence() throws {
    let answers = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var answers = [try socket.has(Self.table), try socket.has(Self.pods)]
      var transaction = Self.base()
      transaction.add(Chain("one", in: Self.table))
      transaction.add(Table(family: .ipv6, name: "mine"))
      transaction.add(Chain("other", in: Table(family: .ipv6, name: "mine")))
      try socket.commit(transaction)
      answers += [try socket.has(Self.table), try socket.has(Self.pods)]
      answers.append(try socket.chainNames(in: Self.table) == ["one"])
      answers.append(try socket.chainNames(in: Table(family: .ipv4, name: "none")) == [])
      return answers
    }
    #expect(answers == [false, false, true, true, true, true])
  }
}
