import Addressing
import CNI
import Linux
import Plumbing
import TestSupport
import Testing
import Witness

@Suite("What upstream's plugins left", .needsRoot)
struct UpstreamMasqueradeTests {
  /// As upstream writes it for network "unit-test" and containers "one" and "two"; the hashes are
  /// those of upstream's own tests where it has them.
  private static let ruleset = """
    table inet cni_plugins_masquerade {
      comment "Masquerading for plugins from github.com/containernetworking/plugins"
      chain masq_checks {
        ip saddr 10.1.2.2 ip daddr != 10.1.2.0/24 masquerade comment \
    "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one"
        ip6 saddr fd00::2 ip6 daddr != fd00::/64 masquerade comment \
    "6fd94d501e58f0aa-287fc69eff0574a2, net: unit-test, if: eth0, id: one"
        ip saddr 10.1.2.3 ip daddr != 10.1.2.0/24 masquerade comment \
    "6fd94d501e58f0aa-0123456789abcdef, net: unit-test, if: eth0, id: two"
        ip saddr 10.9.9.9 ip daddr != 10.9.9.0/24 masquerade comment \
    "00000000000000ff-287fc69eff0574a2, net: other, if: eth0, id: one"
        ip saddr 10.9.9.8 masquerade comment "a rule of the operator"
      }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip daddr 224.0.0.0/4 return
        ip6 daddr ff00::/8 return
        goto masq_checks
      }
    }
    """

  @Test("in its nftables table goes at DEL, for this attachment alone")
  func nftables() throws {
    let left = try FreshNamespace.run {
      try nft(Self.ruleset)
      try Masquerade.remove(for: .pod("one", "unit-test"))
      return try nftablesRules().filter { $0.chain == "masq_checks" }.compactMap(\.comment)
    }
    #expect(left.map { String($0.suffix(9)) } == [", id: two", ", id: one", " operator"])
    #expect(left[1].hasPrefix("00000000000000ff"))
  }

  @Test("in its nftables table goes at GC, for what is not valid in this network")
  func garbage() throws {
    let left = try FreshNamespace.run {
      try nft(Self.ruleset)
      try Masquerade.collectGarbage(
        network: NetworkName("unit-test"), keeping: [CNI.Attachment.pod("one").withoutNetwork])
      return try nftablesRules().filter { $0.chain == "masq_checks" }.compactMap(\.comment)
    }
    #expect(
      left.map { String($0.suffix(9)) } == [", id: one", ", id: one", ", id: one", " operator"])
  }

  @Test("in its nftables table satisfies CHECK for its own addresses, while a hook leads there")
  func checkNftables() throws {
    let refused = try FreshNamespace.run {
      try nft(Self.ruleset)
      var refused: [String] = []
      func check(_ pod: String, _ addresses: String..., when: String = "") {
        do {
          try Masquerade.check(
            for: .pod(pod, "unit-test"), addresses: try addresses.map { try InterfaceAddress($0) })
        } catch {
          refused.append("\(pod) \(addresses)\(when)")
        }
      }
      check("one", "10.1.2.2/24", "fd00::2/64")
      check("one", "10.1.2.2/24", "fd00::3/64")
      check("two", "10.1.2.2/24")
      try nft("flush chain inet cni_plugins_masquerade postrouting")
      check("one", "10.1.2.2/24", "fd00::2/64", when: " unhooked")
      return refused
    }
    #expect(
      refused == [
        #"one ["10.1.2.2/24", "fd00::3/64"]"#, #"two ["10.1.2.2/24"]"#,
        #"one ["10.1.2.2/24", "fd00::2/64"] unhooked"#,
      ])
  }

  /// One of the four programs.
  struct Program: Sendable, CustomTestStringConvertible {
    let name: String
    let address: String
    let multicast: String
    var testDescription: String { name }
  }

  static let programs = ["nft", "legacy"].flatMap { variant in
    [
      Program(name: "iptables-\(variant)", address: "10.1.2.2/24", multicast: "224.0.0.0/4"),
      Program(name: "ip6tables-\(variant)", address: "fd00::2/64", multicast: "ff00::/8"),
    ]
  }

  @Test("in iptables goes at DEL, for this container alone", arguments: programs)
  func iptables(_ program: Program) throws {
    // The chain of network "test" and container "1234" is one of upstream's own check values.
    let chain = "CNI-2bbe0c48b91a7d1b8a6753a8"
    let (made, left) = try FreshNamespace.run {
      try program.addUpstreamRules(chain, network: "test", container: "1234")
      try program.addUpstreamRules("CNI-other", network: "test", container: "5678")
      let made = try program.run("-t", "nat", "-S")
      try Masquerade.remove(for: .pod("1234", "test"))
      return (made, try program.run("-t", "nat", "-S"))
    }
    #expect(made.contains("-N \(chain)"))
    #expect(left == made.filter { !$0.contains(chain) && !$0.contains("id: \\\"1234\\\"") })
    #expect(left.contains("-N CNI-other"))
  }

  @Test(
    "in iptables satisfies CHECK for its own addresses, while they are led there",
    arguments: programs)
  func checkIptables(_ program: Program) throws {
    let chain = "CNI-2bbe0c48b91a7d1b8a6753a8"
    let outcomes = try FreshNamespace.run {
      try program.addUpstreamRules(chain, network: "test", container: "1234")
      let own = try InterfaceAddress(program.address)
      let other = try InterfaceAddress(own.family == .v4 ? "10.1.2.3/24" : "fd00::3/64")
      func passes(_ pod: String, _ addresses: InterfaceAddress...) -> Bool {
        do {
          try Masquerade.check(for: .pod(pod, "test"), addresses: addresses)
          return true
        } catch {
          return false
        }
      }
      let whole = [
        passes("1234", own), passes("1234", own, other), passes("5678", own),
      ]
      try program.run("-t", "nat", "-D", chain, "2")
      let withoutMasquerade = passes("1234", own)
      try program.run("-t", "nat", "-A", chain, "-j", "MASQUERADE")
      let again = passes("1234", own)
      try program.run("-t", "nat", "-F", "POSTROUTING")
      return whole + [withoutMasquerade, again, passes("1234", own)]
    }
    #expect(outcomes == [true, false, false, false, true, false])
  }

  @Test(
    "in iptables goes at GC, for containers that are not valid in this network",
    arguments: programs)
  func iptablesGarbage(_ program: Program) throws {
    let (made, left) = try FreshNamespace.run {
      try program.addUpstreamRules("CNI-gone", network: "test", container: "gone")
      try program.addUpstreamRules("CNI-valid", network: "test", container: "valid")
      try program.addUpstreamRules("CNI-foreign", network: "test2", container: "gone")
      let made = try program.run("-t", "nat", "-S")
      try Masquerade.collectGarbage(
        network: NetworkName("test"), keeping: [CNI.Attachment.pod("valid").withoutNetwork])
      return (made, try program.run("-t", "nat", "-S"))
    }
    #expect(left == made.filter { !$0.contains("CNI-gone") })
  }

  @Test("makes no table where there was none")
  func untouched() throws {
    let (tables, legacy) = try FreshNamespace.run {
      try Masquerade.remove(for: .pod("one"))
      try Masquerade.collectGarbage(network: NetworkName("net"), keeping: [])
      let names = try File.readIfPresent("/proc/thread-self/net/ip_tables_names", limit: 4096)
      return (try Witness.tables().map(\.name), names ?? [])
    }
    #expect(tables == [])
    #expect(legacy == [])
  }

  private func nft(_ ruleset: String) throws {
    let ran = try ChildProcess.run(
      "/usr/sbin/nft", arguments: ["-f", "-"], environment: Environment(),
      input: Array(ruleset.utf8))
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
  }
}

extension UpstreamMasqueradeTests.Program {
  /// Does as upstream's iptables backend does, one run for each rule.
  fileprivate func addUpstreamRules(_ chain: String, network: String, container: String) throws {
    let comment = ["-m", "comment", "--comment", "name: \"\(network)\" id: \"\(container)\""]
    let host = address.split(separator: "/").map(String.init)[0]
    try run("-t", "nat", "-N", chain)
    try run(["-t", "nat", "-A", chain, "-d", address, "-j", "ACCEPT"] + comment)
    try run(["-t", "nat", "-A", chain, "!", "-d", multicast, "-j", "MASQUERADE"] + comment)
    try run(["-t", "nat", "-A", "POSTROUTING", "-s", host, "-j", chain] + comment)
  }

  @discardableResult
  fileprivate func run(_ arguments: String...) throws -> [String] { try run(arguments) }

  @discardableResult
  fileprivate func run(_ arguments: [String]) throws -> [String] {
    let ran = try ChildProcess.run(
      "/usr/sbin/\(name)", arguments: arguments, environment: Environment())
    try #require(ran.isSuccess, "\(String(decoding: ran.diagnostics, as: UTF8.self))")
    return String(decoding: ran.output, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
