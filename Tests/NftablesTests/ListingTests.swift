import Linux
import Netlink
import Nftables
import TestSupport
import Testing

@Suite("What others have put into the packet filter", .needsRoot)
struct ListingTests {
  @Test("shows its chains with a hook, and which of them drop at their end")
  func baseChains() throws {
    let chains = try FreshNamespace.run {
      _ = try nft(
        ["-f", "-"],
        input: """
          add table ip filter
          add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }
          add table inet other
          add chain inet other first { type filter hook forward priority -5; policy accept; }
          add chain inet other last { type nat hook postrouting priority 100; }
          add chain inet other jumped
          add table bridge frames
          add chain bridge frames in { type filter hook input priority 0; policy drop; }
          add table arp unknown
          add chain arp unknown in { type filter hook input priority 0; }

          """)
      return try NetlinkSocket<NetfilterFamily>().listedBaseChains()
    }
    #expect(
      Set(chains.map { "\($0.chain.table) \($0.chain.name) \($0.place) \($0.dropsAtItsEnd)" }) == [
        "ip filter FORWARD forward true", "inet other first forward false",
        "inet other last postrouting false", "bridge frames in input true",
      ])
  }

  @Test("shows which rules refuse everything, whatever they count")
  func refusals() throws {
    let rules = try FreshNamespace.run {
      _ = try nft(
        ["-f", "-"],
        input: """
          add table inet other
          add chain inet other d
          add chain inet other c
          add rule inet other c drop comment "1"
          add rule inet other c counter drop comment "2"
          add rule inet other c reject with icmpx admin-prohibited comment "3"
          add rule inet other c ip saddr 10.1.2.3 drop comment "4"
          add rule inet other c accept comment "5"
          add rule inet other c counter comment "6"
          add rule inet other c jump d comment "7"

          """)
      return try NetlinkSocket<NetfilterFamily>().listedRules(
        of: Chain("c", in: Table(family: .inet, name: "other")))
    }
    #expect(rules.filter(\.refusesEverything).map(\.comment) == ["1", "2", "3"])
    #expect(rules.filter { $0.mentions([10, 1, 2, 3]) }.map(\.comment) == ["4"])
    #expect(rules.filter { $0.mentions([10, 1, 2, 4]) } == [])
    #expect(rules.filter { $0.mentions(Array("5".utf8)) }.map(\.comment) == ["5"])
  }

  @Test("shows that a rule of iptables rejects everything")
  func iptablesRefusals() throws {
    let refusals = try FreshNamespace.run {
      for line in ["-j REJECT", "-s 10.1.2.3 -j REJECT", "-j DROP", "-j ACCEPT"] {
        let ran = try ChildProcess.run(
          "/usr/sbin/iptables-nft",
          arguments: ["-A", "FORWARD"] + line.split(separator: " ").map(String.init),
          environment: Environment())
        #expect(ran.isSuccess)
      }
      return try NetlinkSocket<NetfilterFamily>().listedRules(
        of: Chain("FORWARD", in: Table(family: .ipv4, name: "filter"))
      ).map(\.refusesEverything)
    }
    #expect(refusals == [true, false, true, false])
  }

  @Test("is nothing where there is nothing")
  func nothing() throws {
    let count = try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().listedBaseChains().count
    }
    #expect(count == 0)
  }
}
