import Addressing
import Linux
import Netlink
import TestSupport
import Testing

@testable import Nftables

/// What nft has loaded is read back and told in the words of `nft --debug=netlink`, and compared with
/// what nft itself tells of it.
@Suite("A ruleset is read as nft reads it", .needsRoot)
struct WholeRulesetTests {
  @Test(
    "step by step and element by element",
    arguments: [
      "destinations", "foreign", "forward", "maps", "masquerade", "ports", "services",
      "spoof-check", "tunnels",
    ])
  func everything(_ name: String) throws {
    let ruleset = try FreshNamespace.run {
      _ = try nft(["-f", goldenPath("\(name).nft")])
      return try NetlinkSocket<NetfilterFamily>().ruleset()
    }
    let text = try File.read(goldenPath("\(name).golden"), limit: 1 << 20)
    let golden = NetlinkText(nft: String(decoding: text, as: UTF8.self))
    let ours = NetlinkText(of: ruleset)
    #expect(ours.rules == golden.rules)
    #expect(ours.elements == golden.elements)
    #expect(!ours.rules.isEmpty)
  }

  @Test("with hooks, policies, devices and comments, and without tables that sleep")
  func chains() throws {
    let ruleset = try FreshNamespace.run {
      _ = try nft(
        ["-f", "-"],
        input: """
          table ip filter {
            chain FORWARD {
              type filter hook forward priority filter; policy drop;
              counter accept comment "all of it"
            }
            chain nat {
              type nat hook prerouting priority -110;
            }
            chain DOCKER {
            }
          }
          table inet links {
            chain in {
              type filter hook ingress device "lo" priority 5;
            }
          }
          table inet asleep {
            flags dormant
            set s {
              type ipv4_addr
            }
            chain c {
              type filter hook input priority 0; policy drop;
            }
          }
          """)
      return try NetlinkSocket<NetfilterFamily>().ruleset()
    }
    let filter = Table(family: .ipv4, name: "filter")
    #expect(
      ruleset.chains == [
        Ruleset.Chain(
          "FORWARD", in: filter, hook: Ruleset.Hook(.forward), dropsAtItsEnd: true,
          rules: [
            Ruleset.Rule(
              [.passes("counter"), .verdict(.accept)],
              handle: ruleset.chains.first?.rules.first?.handle ?? 0, comment: "all of it")
          ]),
        Ruleset.Chain(
          "nat", in: filter, hook: Ruleset.Hook(.prerouting, kind: "nat", priority: -110)),
        Ruleset.Chain("DOCKER", in: filter),
        Ruleset.Chain(
          "in", in: Table(family: .inet, name: "links"),
          hook: Ruleset.Hook(nil, priority: 5, devices: ["lo"])),
      ])
    #expect(ruleset.sets.isEmpty)
  }

  @Test("with the parts that iptables has nf_tables carry")
  func iptables() throws {
    let ruleset = try FreshNamespace.run {
      for words in [
        ["-A", "FORWARD", "-m", "conntrack", "--ctstate", "NEW", "-j", "REJECT"],
        ["-t", "mangle", "-A", "FORWARD", "-j", "MARK", "--set-mark", "5"],
      ] {
        #expect(
          try ChildProcess.run(
            "/usr/sbin/iptables-nft", arguments: words, environment: Environment()
          ).isSuccess)
      }
      return try NetlinkSocket<NetfilterFamily>().ruleset()
    }
    var parts: [RuleStep.ForeignPart] = []
    for chain in ruleset.chains {
      for case .foreignMatch(let part) in chain.rules.flatMap(\.steps) { parts.append(part) }
      for case .foreignTarget(let part) in chain.rules.flatMap(\.steps) { parts.append(part) }
    }
    #expect(parts.map(\.name).contains("conntrack"))
    #expect(parts.map(\.name).contains("MARK"))
    #expect(parts.allSatisfy { !$0.data.isEmpty })
  }

  private func goldenPath(_ name: String) -> String {
    "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Goldens/\(name)"
  }
}
