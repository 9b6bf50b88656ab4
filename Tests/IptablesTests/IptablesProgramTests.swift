import Iptables
import Linux
import TestSupport
import Testing

@Suite("A program of the iptables family", .needsRoot)
struct IptablesProgramTests {
  /// One of the four.
  struct Kind: Sendable, CustomTestStringConvertible {
    let family: IptablesProgram.Family
    let variant: IptablesProgram.Variant
    var testDescription: String { "\(family) \(variant)" }
  }

  static let kinds = IptablesProgram.Family.allCases.flatMap { family in
    IptablesProgram.Variant.allCases.map { Kind(family: family, variant: $0) }
  }

  @Test("deletes what it has listed, word for word, and nothing besides", arguments: kinds)
  func deletion(_ kind: Kind) throws {
    let left = try FreshNamespace.run {
      let program = try #require(try IptablesProgram.find(kind.family, kind.variant))
      try make(
        kind,
        """
        *nat
        :mine - [0:0]
        :other - [0:0]
        -A POSTROUTING -m comment --comment "it's \\"mine\\" \\\\ and odd" -j mine
        -A POSTROUTING -m comment --comment "it's \\"theirs\\"" -j other
        -A mine -p tcp --dport 80 -j RETURN
        -A other -j RETURN
        COMMIT

        """)
      let listing = try program.rules(of: "nat")
      let rules = listing.filter { $0.kind == .rule && $0.target == "mine" }
      let chains = listing.filter { $0.kind == .chain && $0.chain == "mine" }
      #expect(rules.map(\.comment) == [#"it's "mine" \ and odd"#])
      try program.change(
        "nat", rules.map(IptablesChange.delete) + chains.flatMap(IptablesChange.deleteChain))
      return try program.rules(of: "nat").filter { $0.kind != .policy }.map(\.words)
    }
    #expect(
      left == [
        ["-N", "other"],
        ["-A", "POSTROUTING", "-m", "comment", "--comment", #"it's "theirs""#, "-j", "other"],
        ["-A", "other", "-j", "RETURN"],
      ])
  }

  @Test("changes nothing if one of the changes is refused, and says what it said", arguments: kinds)
  func refusal(_ kind: Kind) throws {
    let (error, left) = try FreshNamespace.run {
      let program = try #require(try IptablesProgram.find(kind.family, kind.variant))
      try make(kind, "*nat\n:mine - [0:0]\n-A mine -j RETURN\n-A POSTROUTING -j mine\nCOMMIT\n")
      let listing = try program.rules(of: "nat")
      let used = listing.filter { $0.kind == .chain }
      let absent = try #require(IptablesRule(listed: "-A mine -j ACCEPT"))
      var refusal: IptablesError?
      do throws(IptablesError) {
        try program.change(
          "nat",
          [.delete(listing.filter { $0.kind == .rule }[0]), .delete(absent)]
            + used.flatMap(IptablesChange.deleteChain))
      } catch {
        refusal = error
      }
      return (refusal, try program.rules(of: "nat") == listing)
    }
    #expect(left)
    #expect(error?.description.contains("-restore -w 10 --noflush ended with code") == true)
  }

  @Test("adds chains and rules in their places, with words of every kind", arguments: kinds)
  func addition(_ kind: Kind) throws {
    let odd = #"it's "mine" \ and # odd"#
    let rule = ["-m", "comment", "--comment", odd, "-j", "mine"]
    let listing = try FreshNamespace.run {
      let program = try #require(try IptablesProgram.find(kind.family, kind.variant))
      try program.change(
        "filter",
        [
          .makeChain("mine"), .append(["-j", "RETURN"], to: "mine"),
          .append(["-p", "tcp", "-j", "ACCEPT"], to: "FORWARD"), .insert(rule, of: "FORWARD"),
          .insert(["-p", "udp", "-j", "ACCEPT"], at: 2, of: "FORWARD"),
        ])
      let listing = try program.rules(of: "filter")
      try program.change("filter", [.delete(rule, of: "FORWARD")])
      #expect(try program.rules(of: "filter").count == listing.count - 1)
      return listing
    }
    let rules = listing.filter { $0.kind == .rule }
    #expect(
      rules.filter { $0.chain == "FORWARD" }.map { $0.comment ?? $0.words[3] } == [
        odd, "udp", "tcp",
      ])
    #expect(rules.contains { $0.says(rule, in: "FORWARD") })
    #expect(rules.contains { $0.says(["-j", "RETURN"], in: "mine") })
    #expect(!rules.contains { $0.says(["-j", "RETURN"], in: "FORWARD") })
  }

  @Test("is the host's usual one if nothing else is asked for")
  func usual() throws {
    let directory = try TemporaryDirectory()
    for (name, version) in [
      ("iptables", "v1.8.9 (nf_tables)"), ("iptables-restore", ""), ("ip6tables", "v1.6.0"),
      ("ip6tables-restore", ""), ("iptables-legacy", "v1.8.9 (legacy)"),
    ] {
      try directory.write(name, "#!/bin/sh\necho 'iptables \(version)'\n", mode: 0o755)
    }
    #expect(try IptablesProgram.usual(.v4, in: [directory.path])?.variant == .nft)
    #expect(try IptablesProgram.usual(.v6, in: [directory.path])?.variant == .legacy)
    #expect(try IptablesProgram.usual(.v4, in: ["/nowhere"])?.variant == nil)
  }

  @Test("is found by its own name, or asked what it is, or is not there")
  func search() throws {
    let directory = try TemporaryDirectory()
    for name in ["iptables", "iptables-restore", "ip6tables-nft", "ip6tables-nft-restore"] {
      try directory.write(
        name, "#!/bin/sh\n[ \"$1\" = --version ] && echo 'iptables v1.8.9 (legacy)'\n", mode: 0o755)
    }
    func isFound(_ family: IptablesProgram.Family, _ variant: IptablesProgram.Variant) throws
      -> Bool
    {
      try IptablesProgram.find(family, variant, in: [directory.path]) != nil
    }
    #expect(try isFound(.v4, .legacy))
    #expect(try !isFound(.v4, .nft))
    #expect(try isFound(.v6, .nft))
    #expect(try !isFound(.v6, .legacy))
  }

  @Test("leaves its legacy table behind, which is told without it")
  func legacyTables() throws {
    let (before, after) = try FreshNamespace.run {
      let before = try LegacyTables.has("nat", .v4)
      _ = try IptablesProgram.find(.v4, .legacy)?.rules(of: "nat")
      return (before, try LegacyTables.has("nat", .v4))
    }
    #expect(!before)
    #expect(after)
  }

  @Test("makes chains that are found in its legacy table without it", arguments: kinds)
  func legacyChains(_ kind: Kind) throws {
    let (before, there, absent, other) = try FreshNamespace.run {
      func has(_ chain: String, _ family: IptablesProgram.Family) throws -> Bool {
        try LegacyTables.has(chain: chain, in: "nat", family)
      }
      let before = try has("mine", kind.family)
      try make(kind, "*nat\n:mine - [0:0]\nCOMMIT\n")
      let other: IptablesProgram.Family = kind.family == .v4 ? .v6 : .v4
      return (
        before, try has("mine", kind.family), try has("yours", kind.family), try has("mine", other)
      )
    }
    #expect(!before)
    #expect(there == (kind.variant == .legacy))
    #expect(!absent)
    #expect(!other)
  }

  /// Writes a table as its own program would load it.
  private func make(_ kind: Kind, _ text: String) throws {
    let name = kind.family == .v4 ? "iptables" : "ip6tables"
    let ran = try ChildProcess.run(
      "/usr/sbin/\(name)-\(kind.variant.rawValue)-restore", environment: Environment(),
      input: Array(text.utf8))
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  }
}
