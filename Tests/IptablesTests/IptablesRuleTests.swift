import Iptables
import Testing

@Suite("A line that iptables lists")
struct IptablesRuleTests {
  @Test("is a rule with its chain, target and comment")
  func rule() throws {
    let rule = try #require(
      IptablesRule(
        listed:
          #"-A POSTROUTING -s 10.1.2.3/32 -m comment --comment "name: \"net\" id: \"c-1\"" -j CNI-1"#
      ))
    #expect(rule.kind == .rule)
    #expect(rule.chain == "POSTROUTING")
    #expect(rule.target == "CNI-1")
    #expect(rule.comment == #"name: "net" id: "c-1""#)
  }

  @Test(
    "has words that may hold blanks, quotes and backslashes, or be empty",
    arguments: [
      (#"-A c -m comment --comment plain"#, "plain"),
      (#"-A c -m comment --comment "two words""#, "two words"),
      (#"-A c -m comment --comment "a \\ and a \" in it""#, #"a \ and a " in it"#),
      (#"-A c -m comment --comment """#, ""),
      (#"-A c -m comment --comment "äöü""#, "äöü"),
    ])
  func words(_ line: String, _ comment: String) {
    #expect(IptablesRule(listed: line)?.comment == comment)
  }

  @Test("may be a chain or a policy, and has no target then")
  func chains() {
    #expect(IptablesRule(listed: "-N CNI-1")?.kind == .chain)
    #expect(IptablesRule(listed: "-N CNI-1")?.chain == "CNI-1")
    #expect(IptablesRule(listed: "-N CNI-1")?.target == nil)
    #expect(IptablesRule(listed: "-P INPUT ACCEPT")?.kind == .policy)
    #expect(IptablesRule(listed: "-A c -g elsewhere")?.target == "elsewhere")
  }

  @Test("is nothing if it is something else", arguments: ["", "-A", "# Warning", "-Z c x", "-j X"])
  func other(_ line: String) {
    #expect(IptablesRule(listed: line) == nil)
  }
}
