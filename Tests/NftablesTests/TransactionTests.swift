import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing
import Witness

@Suite("A transaction", .needsRoot)
struct TransactionTests {
  private static let table = Table(family: .inet, name: "mine")
  private static let set = NamedSet("pods", in: table, key: [.ipv4Address])

  private static func key(_ host: UInt8) -> ElementKey {
    ElementKey(.address(IPAddress(bits: 0x0a01_0200 | UInt128(host), family: .v4)))
  }

  private static func base() -> Transaction {
    var transaction = Transaction()
    transaction.add(table)
    transaction.add(set)
    return transaction
  }

  @Test("happens whole, or not at all, and tells which command was refused")
  func atomic() throws {
    let (error, left) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try socket.commit(Self.base())
      var transaction = Transaction()
      transaction.add(Element(Self.key(1)), to: Self.set, ifThere: .refused)
      transaction.delete(Self.key(9), from: Self.set)
      transaction.add(Element(Self.key(2)), to: Self.set, ifThere: .refused)
      var refusal: NetlinkError?
      do throws(NetlinkError) { try socket.commit(transaction) } catch { refusal = error }
      return (refusal, try Witness.elements(inSet: "pods").count)
    }
    #expect(error?.errno == .noEntry)
    #expect(error?.operation == "delete element of pods")
    #expect(error?.isNotFound == true)
    #expect(left == 0)
  }

  @Test("of nothing asks the kernel nothing")
  func empty() throws {
    // On this socket even a question would fail: it has no answers recorded.
    let socket = NetlinkSocket<NetfilterFamily>(replaying: Transcript())
    try socket.commit(Transaction())
    #expect(throws: NetlinkError.self) { try socket.commit(Self.base()) }
  }

  @Test("can be done again without harm, but for what must be new")
  func again() throws {
    let (kept, refused, comments) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try socket.commit(Self.base())
      try socket.commit(Self.base())
      var first = Transaction()
      first.add(Element(Self.key(1), comment: "first"), to: Self.set, ifThere: .kept)
      try socket.commit(first)
      var second = Transaction()
      second.add(Element(Self.key(1), comment: "second"), to: Self.set, ifThere: .kept)
      let kept = Result { try socket.commit(second) }
      var third = Transaction()
      third.add(Element(Self.key(1), comment: "third"), to: Self.set, ifThere: .refused)
      let refused = Result { try socket.commit(third) }
      return (kept, refused, try Witness.elements(inSet: "pods").map(\.comment))
    }
    #expect(throws: Never.self) { try kept.get() }
    let error = #expect(throws: NetlinkError.self) { try refused.get() }
    #expect(error?.isAlreadyThere == true)
    #expect(comments == ["first"])
  }

  @Test("replaces an element in one step")
  func replacement() throws {
    let comments = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var transaction = Self.base()
      transaction.add(Element(Self.key(1), comment: "old"), to: Self.set, ifThere: .refused)
      try socket.commit(transaction)
      var change = Transaction()
      change.delete(Self.key(1), from: Self.set)
      change.add(Element(Self.key(1), comment: "new"), to: Self.set, ifThere: .refused)
      try socket.commit(change)
      return try Witness.elements(inSet: "pods").map(\.comment)
    }
    #expect(comments == ["new"])
  }

  @Test("that was meant for an earlier state is refused, and nothing of it happens")
  func generation() throws {
    let (refusal, inTime, left) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      try socket.commit(Self.base())
      let old = try socket.generation()
      var foreign = Transaction()
      foreign.add(Element(Self.key(1)), to: Self.set, ifThere: .refused)
      try socket.commit(foreign)
      func add(_ host: UInt8, in generation: RulesetGeneration) -> NetlinkError? {
        var late = Transaction(onlyIn: generation)
        late.add(Element(Self.key(host)), to: Self.set, ifThere: .refused)
        do throws(NetlinkError) { try socket.commit(late) } catch { return error }
        return nil
      }
      let refusal = add(2, in: old)
      let inTime = add(3, in: try socket.generation())
      return (refusal, inTime, Set(try Witness.elements(inSet: "pods").map { $0.key[3] }))
    }
    #expect(refusal?.errno == .restart)
    #expect(inTime == nil)
    #expect(left == [1, 3])
  }

  @Test("deletes rules by what was listed, sets, chains and tables with all that is in them")
  func deletion() throws {
    let (comments, left, tables) = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      let chain = Chain("list", in: Self.table)
      let other = Chain("other", in: Self.table)
      var transaction = Self.base()
      transaction.add(chain)
      transaction.add(other)
      for comment in ["one", "two", "three"] {
        transaction.append(Rule([], .verdict(.accept), comment: comment), to: chain)
      }
      transaction.append(Rule([], .verdict(.drop), comment: "elsewhere"), to: other)
      try socket.commit(transaction)
      var change = Transaction()
      for rule in try socket.listedRules(of: chain) where rule.comment == "two" {
        change.delete(rule, of: chain)
      }
      try socket.commit(change)
      let comments = try Witness.nftablesRules().compactMap(\.comment)
      var last = Transaction()
      last.flush(chain)
      last.delete(chain)
      try socket.commit(last)
      let left = try Witness.chains().map(\.name)
      var sets = Transaction()
      sets.delete(Self.set)
      try socket.commit(sets)
      #expect(try !socket.has(Self.set))
      var all = Transaction()
      all.delete(Self.table)
      try socket.commit(all)
      return (comments, left, try Witness.tables().count)
    }
    #expect(comments == ["one", "three", "elsewhere"])
    #expect(left == ["other"])
    #expect(tables == 0)
  }
}

@Suite("What is asked of a ruleset", .needsRoot)
struct RulesetTests {
  private let table = Table(family: .inet, name: "mine")

  @Test("is answered with nothing where there is nothing, not with an error")
  func nothing() throws {
    let set = NamedSet("pods", in: table, key: [.ipv4Address])
    let chain = Chain("visited", in: table)
    try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      #expect(try socket.listedChain(chain) == nil)
      #expect(try socket.listedRules(of: chain) == [])
      #expect(try socket.setNames(in: table) == [])
      #expect(try !socket.has(set))
      #expect(try socket.elements(of: set) == [])
      let query = ElementQuery(ElementKey(.address(try IPAddress("10.1.2.3"))), in: set)
      #expect(try socket.elements([query, query]) == [nil, nil])
    }
  }

  @Test("is answered with what nft has put there")
  func fromNft() throws {
    try FreshNamespace.run {
      _ = try nft(
        ["-f", "-"],
        input: """
          table inet mine {
            set pods { type ipv4_addr; elements = { 10.1.2.3 comment "mine", 10.1.2.4 } }
            map byport { type inet_service : verdict; elements = { 22 : jump visited, 23 : drop } }
            map byhost { type ipv4_addr : ipv4_addr; elements = { 10.1.2.3 : 10.1.2.4 } }
            chain visited { accept comment "first"; drop; }
            chain others { jump visited; }
          }
          table inet theirs {
            chain visited { accept comment "not ours"; }
          }
          """)
      let socket = try NetlinkSocket<NetfilterFamily>()
      let chain = Chain("visited", in: table)
      #expect(try socket.listedRules(of: chain).map(\.comment) == ["first", nil])
      // Two rules, and two jumps to it: one from a rule, one from a map.
      #expect(try socket.listedChain(chain)?.uses == 4)
      #expect(Set(try socket.setNames(in: table)) == ["pods", "byport", "byhost"])

      let set = NamedSet("pods", in: table, key: [.ipv4Address])
      let there = ElementKey(.address(try IPAddress("10.1.2.3")))
      let absent = ElementKey(.address(try IPAddress("10.1.2.9")))
      let found = try socket.elements([ElementQuery(absent, in: set), ElementQuery(there, in: set)])
      #expect(found == [nil, Element(there, comment: "mine")])
      #expect(try socket.elements(of: set).count == 2)

      let to = NamedMap("byport", in: table, key: [.port], value: nil)
      let verdicts = try socket.elements(of: to.set)
      #expect(
        Set(verdicts) == [
          Element(ElementKey(.port(22)), value: .verdict(.jump(to: "visited"))),
          Element(ElementKey(.port(23)), value: .verdict(.drop)),
        ])
      let at = NamedMap("byhost", in: table, key: [.ipv4Address], value: [.ipv4Address])
      #expect(
        try socket.elements(of: at.set) == [
          Element(there, value: .data(ElementKey(.address(try IPAddress("10.1.2.4")))))
        ])
    }
  }

  @Test("and marks come back as the numbers that went in")
  func marks() throws {
    let set = NamedSet("owners", in: table, key: [.mark, .mark])
    let key = ElementKey(.mark(0x0102_0304), .mark(5))
    let back = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      var transaction = Transaction()
      transaction.add(table)
      transaction.add(set)
      transaction.add(Element(key), to: set, ifThere: .refused)
      try socket.commit(transaction)
      return try socket.elements(of: set).map(\.key.marks)
    }
    #expect(back == [[0x0102_0304, 5]])
  }
}

@Suite("A kernel that lacks a part of the packet filter")
struct NftablesFeatureTests {
  @Test(
    "is told which",
    arguments: [
      ("look for nf_tables", Errno.invalid, NftablesFeature.nftables),
      ("add table of family bridge", .notSupported, .family(.bridge)),
      ("add chain that translates addresses", .noEntry, .natChains),
      ("add masquerading rule", .noEntry, .masquerade),
    ])
  func feature(_ operation: String, _ errno: Errno, _ feature: NftablesFeature) {
    #expect(NetlinkError(operation: operation, errno: errno).missingFeature == feature)
    #expect(feature.description.contains("CONFIG_"))
  }

  @Test(
    "is told from other refusals",
    arguments: [
      ("add element to pods", Errno.noEntry), ("add masquerading rule", .notPermitted),
      ("look for chain c", .invalid),
    ])
  func otherRefusals(_ operation: String, _ errno: Errno) {
    #expect(NetlinkError(operation: operation, errno: errno).missingFeature == nil)
  }

  @Test("names the commands as transactions do", .needsRoot)
  func operations() throws {
    // A chain for translation in a table that is not there is refused as if the kernel lacked it.
    let errors = try FreshNamespace.run {
      let socket = try NetlinkSocket<NetfilterFamily>()
      let table = Table(family: .inet, name: "absent")
      let chain = Chain("c", in: table, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))
      var first = Transaction()
      first.add(chain)
      var second = Transaction()
      second.append(Rule([], .masquerade), to: Chain("c", in: table))
      return [first, second].map { transaction in
        do throws(NetlinkError) { try socket.commit(transaction) } catch { return error.operation }
        return ""
      }
    }
    #expect(errors == ["add chain that translates addresses", "add masquerading rule"])
  }
}
