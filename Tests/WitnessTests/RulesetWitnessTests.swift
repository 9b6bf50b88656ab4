import JSON
import TestSupport
import Testing
import Witness

@Suite("The witness of nftables", .needsRoot)
struct RulesetWitnessTests {
  static let scene = """
    nft -f - <<'RULES'
    table inet pods {
      comment "of the tests"
      set own { type ipv4_addr; flags interval; comment "ours"
        elements = { 10.1.0.0/24 comment "net" } }
      map leads { type ipv4_addr . inet_service : verdict
        elements = { 10.1.0.2 . 80 comment "web" : jump inner, 10.1.0.3 . 81 : drop } }
      map far { type inet_service : ipv4_addr; elements = { 8080 : 10.1.0.9 } }
      chain inner { }
      chain out { type nat hook postrouting priority srcnat; policy accept;
        ip daddr 224.0.0.0/4 return comment "not for groups"
        ip saddr @own masquerade
      }
    }
    table bridge nat { }
    RULES
    """

  @Test("reads tables and chains as nft does")
  func tablesAndChains() async throws {
    let (tables, chains, told) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      let told = try Judge.run("nft -j -a list ruleset")
      return (try Witness.tables(), try Witness.chains(), told)
    }
    let objects = try RulesetJSON(told)
    #expect(
      tables.map { "\($0.family) \($0.name) \($0.handle)" }
        == objects.all("table", "family", "name", "handle"))
    #expect(
      chains.map { "\($0.family) \($0.table) \($0.name) \($0.handle)" }.sorted()
        == objects.all("chain", "family", "table", "name", "handle").sorted())
    let out = try #require(chains.first { $0.name == "out" })
    #expect(out.type == "nat" && out.hook == 4 && out.priority == 100 && out.policy == 1)
    #expect(chains.first { $0.name == "inner" }?.hook == nil)
    #expect(tables.first { $0.name == "pods" }?.comment == "of the tests")
  }

  @Test("reads rules with their expressions and comments")
  func rules() async throws {
    let (rules, told) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      return (try Witness.nftablesRules(), try Judge.run("nft -j -a list ruleset"))
    }
    let objects = try RulesetJSON(told)
    #expect(
      rules.map { "\($0.family) \($0.table) \($0.chain) \($0.handle)" }
        == objects.all("rule", "family", "table", "chain", "handle"))
    #expect(rules.map(\.comment) == ["not for groups", nil])
    #expect(rules.last?.expressions.map(\.name) == ["meta", "cmp", "payload", "lookup", "masq"])
  }

  @Test("reads sets, maps and what is in them")
  func sets() async throws {
    let (sets, elements) = try await Judge.inFreshNamespace {
      try Judge.run(Self.scene)
      return (try Witness.sets(), try Witness.elements())
    }
    #expect(sets.map(\.name).sorted() == ["far", "leads", "own"])
    #expect(sets.first { $0.name == "own" }?.comment == "ours")
    #expect(sets.map(\.isMap) == sets.map { $0.name != "own" })
    let web = try #require(elements.first { $0.comment == "web" })
    #expect(web.key == [10, 1, 0, 2, 0, 80, 0, 0])
    #expect(web.verdict == SeenVerdict(code: -3, chain: "inner"))
    let drop = try #require(elements.first { $0.set == "leads" && $0.comment == nil })
    #expect(drop.verdict == SeenVerdict(code: 0, chain: nil))
    #expect(elements.filter { $0.set == "far" }.map(\.value) == [[10, 1, 0, 9]])
    let own = elements.filter { $0.set == "own" }
    #expect(own.first { $0.flags & 1 == 0 }?.key == [10, 1, 0, 0])
    #expect(own.first { $0.flags & 1 == 0 }?.comment == "net")
    #expect(own.contains { $0.flags & 1 == 1 && $0.key == [10, 1, 1, 0] })
  }
}

/// The objects that `nft -j` lists.
private struct RulesetJSON {
  let objects: [JSONValue]

  init(_ text: String) throws {
    objects = try JSONParser.parse(text).list("nftables")
  }

  func all(_ kind: String, _ keys: String...) -> [String] {
    objects.filter { $0.objectValue?[kind] != nil }.map { object in
      keys.map { object.text(kind, $0) }.joined(separator: " ")
    }
  }
}
