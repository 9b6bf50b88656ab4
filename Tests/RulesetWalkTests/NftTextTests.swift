import Addressing
import Linux
import Netlink
import TestSupport
import Testing

@testable import Nftables
@testable import RulesetWalk

/// Rules as people write them, loaded by nft or iptables into a namespace of their own.
@Suite("A walk through rules as they are written", .needsRoot)
struct NftTextTests {
  private static var facts: WalkFacts {
    WalkFacts(
      addressType: { address, _ in address.bits == 0xc000_0201 ? 2 : 1 },
      link: { address in
        .some(
          address.bits >> 16 == 0x0a01 ? PacketLink(index: 5, name: "cni0", kind: "bridge") : nil)
      },
      ownAddress: { link, _ in
        IPAddress(bits: link.name == "eth0" ? 0xc000_0201 : 0x0a01_0001, family: .v4)
      })
  }

  private func tell(
    _ ruleset: Ruleset, at place: Hook.Place, from source: String = "10.1.0.2",
    to destination: String = "198.51.100.7", _ port: UInt16 = 80, _ transport: Transport = .tcp
  ) throws -> [String] {
    var packet = Packet(
      from: try IPAddress(source), to: try IPAddress(destination), port: port, transport)
    packet.input = PacketLink(index: 5, name: "cni0", kind: "bridge")
    if place == .forward || place == .postrouting {
      packet.output = PacketLink(index: 2, name: "eth0")
    }
    if place != .prerouting { packet.connection = PacketConnection(of: packet) }
    return HookWalk(ruleset, Self.facts).pass(packet, through: place).map { Told($0).text }
  }

  private func loaded(_ chain: String, besides: String = "") throws -> Ruleset {
    try FreshNamespace.run {
      let ran = try ChildProcess.run(
        "/usr/sbin/nft", arguments: ["-f", "-"], environment: Environment(),
        input: Array("table ip t {\n\(besides)\nchain c {\n\(chain)\n}\n}\n".utf8))
      try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
      return try NetlinkSocket<NetfilterFamily>().ruleset()
    }
  }

  struct Case: CustomTestStringConvertible {
    var rule: String
    var ending: [String]
    var port: UInt16 = 80
    var testDescription: String { rule }
    static let dropped = ["dropped by c 1"]
  }

  @Test(
    "of one rule",
    arguments: [
      Case(rule: "ip saddr 10.1.0.0/16 drop", ending: Case.dropped),
      Case(rule: "ip saddr != 10.1.0.0/20 drop", ending: ["passes"]),
      Case(rule: "ip daddr { 192.0.2.0/24, 198.51.100.0-198.51.100.9 } drop", ending: Case.dropped),
      Case(rule: "ip daddr { 192.0.2.0/24, 198.51.100.8 } drop", ending: ["passes"]),
      Case(rule: "tcp dport { 22, 80, 443 } drop", ending: Case.dropped),
      Case(rule: "tcp dport 80-89 drop", ending: Case.dropped),
      Case(rule: "tcp dport != 80-89 drop", ending: ["passes"], port: 89),
      Case(rule: "tcp dport != 80-89 drop", ending: Case.dropped, port: 90),
      Case(rule: "udp dport 80 drop", ending: ["passes"]),
      Case(rule: "tcp dport vmap { 80 : drop, 81 : accept }", ending: Case.dropped),
      Case(
        rule: "ip saddr . tcp dport { 10.1.0.0/24 . 80-90, 10.9.0.0/16 . 1 } drop",
        ending: Case.dropped),
      Case(
        rule: "ip saddr . tcp dport { 10.1.0.0/24 . 81-90, 10.9.0.0/16 . 80 } drop",
        ending: ["passes"]),
      Case(rule: "tcp flags & (fin|syn|rst|ack) == syn drop", ending: Case.dropped),
      Case(rule: "tcp flags & (fin|syn|rst|ack) != syn drop", ending: ["passes"]),
      Case(rule: "iifname \"cni*\" oifname \"eth0\" drop", ending: Case.dropped),
      Case(rule: "iif 5 oifname != \"eth0\" drop", ending: ["passes"]),
      Case(
        rule: "ct state established,related accept; ct state new drop",
        ending: ["dropped by c 2"]),
      Case(rule: "ct state vmap { established : accept, new : drop }", ending: Case.dropped),
      Case(
        rule: "ct direction original ct original ip daddr 198.51.100.7 drop",
        ending: Case.dropped),
      Case(
        rule: "ct reply ip saddr 198.51.100.7 tcp dport 80 drop",
        ending: Case.dropped),
      Case(
        rule: "meta mark set 5; meta mark > 4 meta mark & 0x4 == 0x4 drop",
        ending: ["dropped by c 2 marked 5"]),
      Case(rule: "ct mark set 7; ct mark 7 drop", ending: ["dropped by c 2"]),
      Case(rule: "fib saddr oif missing drop", ending: ["passes"]),
      Case(rule: "fib saddr . iif oif missing drop", ending: ["passes"]),
      Case(rule: "fib daddr type local drop", ending: ["passes"]),
      Case(rule: "limit rate over 3/second drop", ending: ["passes"]),
      Case(rule: "limit rate 3/second drop", ending: Case.dropped),
      Case(rule: "ct count over 3 drop", ending: ["passes"]),
      Case(rule: "numgen random mod 4 0 drop", ending: ["3/4 passes", "1/4 dropped by c 1"]),
      Case(
        rule: "numgen inc mod 2 vmap { 0 : drop, 1 : accept }",
        ending: ["1/2 passes", "1/2 dropped by c 1"]),
      Case(
        rule: "jhash ip saddr mod 2 seed 1 1 reject",
        ending: ["1/2 passes", "1/2 refused by c 1"]),
      Case(rule: "ip ttl < 5 drop", ending: ["passes unless c 1 drop"]),
      Case(rule: "ip ttl < 5 tcp dport 81 drop", ending: ["passes"]),
      Case(rule: "ip protocol tcp drop", ending: Case.dropped),
      Case(rule: "meta length > 100 drop", ending: ["passes unless c 1 drop"]),
      Case(
        rule: "tcp option maxseg size set 1400; log; counter; drop",
        ending: ["dropped by c 4"]),
    ])
  func rule(_ written: Case) throws {
    let ruleset = try loaded(
      "type filter hook forward priority 0\n"
        + written.rule.replacing("; ", with: "\n"))
    #expect(try tell(ruleset, at: .forward, written.port) == written.ending)
  }

  @Test("that translate")
  func translations() throws {
    let before = try loaded(
      """
      type nat hook prerouting priority -100
      tcp dport 80 dnat to 10.1.0.7:8080
      tcp dport 81 dnat to numgen random mod 2 map { 0 : 10.1.0.7, 1 : 10.1.0.8 }
      tcp dport 82 redirect to :8082
      tcp dport 83 dnat to 10.1.0.7-10.1.0.9
      """)
    #expect(try tell(before, at: .prerouting, 80) == ["passes to 10.1.0.7:8080"])
    #expect(
      try tell(before, at: .prerouting, 81)
        == ["1/2 passes to 10.1.0.7:81", "1/2 passes to 10.1.0.8:81"])
    #expect(try tell(before, at: .prerouting, 82) == ["passes to 10.1.0.1:8082"])
    #expect(try tell(before, at: .prerouting, 83) == ["passes unless c 4 translate"])

    let behind = try loaded(
      """
      type nat hook postrouting priority 100
      tcp dport 80 masquerade
      tcp dport 81 snat to 192.0.2.9
      ip saddr 10.1.0.0/24 snat ip prefix to 10.9.0.0/24
      """)
    #expect(try tell(behind, at: .postrouting, 80) == ["passes from 192.0.2.1"])
    #expect(try tell(behind, at: .postrouting, 81) == ["passes from 192.0.2.9"])
    #expect(try tell(behind, at: .postrouting, 82) == ["passes from 10.9.0.2"])
  }

  struct Iptables: CustomTestStringConvertible {
    var rule: String
    var ending: [String]
    var place = Hook.Place.forward
    var table = "filter"
    var testDescription: String { rule }
  }

  @Test(
    "by iptables",
    arguments: [
      Iptables(rule: "-A FORWARD -s 10.1.0.2 -j DROP", ending: ["dropped by FORWARD 1"]),
      Iptables(rule: "-P FORWARD DROP", ending: ["dropped by policy FORWARD"]),
      Iptables(
        rule: "-A FORWARD -p tcp --dport 80 -m comment --comment x -j REJECT",
        ending: ["refused by FORWARD 1"]),
      Iptables(rule: "-A FORWARD -p tcp --dport 81:90 -j DROP", ending: ["passes"]),
      Iptables(
        rule: "-A FORWARD -p tcp -m multiport --dports 22,80:90 -j DROP",
        ending: ["dropped by FORWARD 1"]),
      Iptables(
        rule: "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j DROP",
        ending: ["passes"]),
      Iptables(
        rule: "-A FORWARD -m conntrack ! --ctstate RELATED,ESTABLISHED -j DROP",
        ending: ["dropped by FORWARD 1"]),
      Iptables(rule: "-A FORWARD -m conntrack --ctstate DNAT -j DROP", ending: ["passes"]),
      Iptables(rule: "-A FORWARD -m mark --mark 0x1/0x1 -j DROP", ending: ["passes"]),
      Iptables(
        rule: "-A FORWARD -m statistic --mode random --probability 0.25 -j DROP",
        ending: ["3/4 passes", "1/4 dropped by FORWARD 1"]),
      Iptables(
        rule: "-A FORWARD -m string --algo bm --string GET -j DROP",
        ending: ["passes unless FORWARD 1 drop"]),
      Iptables(
        rule: "-A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.1.0.7:8080",
        ending: ["passes to 10.1.0.7:8080"], place: .prerouting, table: "nat"),
      Iptables(
        rule: "-A PREROUTING -m addrtype --dst-type LOCAL -j DNAT --to-destination 10.1.0.7",
        ending: ["passes"], place: .prerouting, table: "nat"),
      Iptables(
        rule: "-A POSTROUTING -s 10.1.0.0/16 ! -o cni0 -j MASQUERADE",
        ending: ["passes from 192.0.2.1"], place: .postrouting, table: "nat"),
      Iptables(
        rule: "-A POSTROUTING -j SNAT --to-source 192.0.2.9",
        ending: ["passes from 192.0.2.9"], place: .postrouting, table: "nat"),
      Iptables(
        rule: "-A FORWARD -j MARK --set-xmark 0x5/0xf", ending: ["passes marked 5"],
        table: "mangle"),
    ])
  func iptables(_ written: Iptables) throws {
    let ruleset = try FreshNamespace.run {
      let ran = try ChildProcess.run(
        "/usr/sbin/iptables-nft",
        arguments: ["-t", written.table] + written.rule.split(separator: " ").map(String.init),
        environment: Environment())
      try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
      return try NetlinkSocket<NetfilterFamily>().ruleset()
    }
    #expect(try tell(ruleset, at: written.place) == written.ending)
  }
}
