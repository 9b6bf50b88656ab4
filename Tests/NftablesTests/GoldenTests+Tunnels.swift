import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing

/// What tells packets of tunnels apart.
extension GoldenTests {
  @Test("for tunnels, sources that lie elsewhere, and new sources")
  func tunnels() throws {
    let table = Table(family: .inet, name: "golden")
    let egress = NamedMap("egress", in: table, key: [.ipv4Address], value: [.ipv4Address])
    let egress6 = NamedMap("egress6", in: table, key: [.ipv6Address], value: [.ipv6Address])
    let tunnel = Chain("tunnel", in: table)
    let input = Chain("in", in: table, hook: Hook(.filter, at: .input, priority: .filter))
    let raw = Chain("first", in: table, hook: Hook(.filter, at: .prerouting, priority: .raw))
    let postrouting = Chain(
      "postrouting", in: table, hook: Hook(.nat, at: .postrouting, priority: .sourceNAT))

    var all = Transaction()
    all.add(table)
    for map in [egress, egress6] { all.add(map) }
    for chain in [tunnel, input, raw, postrouting] { all.add(chain) }
    all.append(Rule([.tunnelled(.v4)], .verdict(.accept)), to: tunnel)
    all.append(Rule([.tunnelled(.v6)], .verdict(.accept)), to: tunnel)
    all.append(
      Rule([.tunnel(network: 70000, port: 8472)], .verdict(.goto(tunnel.name))), to: input)
    all.append(
      Rule(
        [.family(.v4), .source(isIn: try Subnet("10.5.0.0/16")), .sourceIsElsewhere],
        .verdict(.drop)), to: raw)
    all.append(
      Rule([.outputName(is: try InterfaceName("flannel.1"))], .verdict(.return)), to: postrouting)
    all.append(Rule([.family(.v4)], sourceOf: .source(.v4), in: egress, .v4), to: postrouting)
    all.append(Rule([.family(.v6)], sourceOf: .source(.v6), in: egress6, .v6), to: postrouting)
    let pod = try IPAddress("10.5.1.3")
    all.add(
      Element(
        ElementKey(.address(pod)), value: .data(ElementKey(.address(try IPAddress("192.0.2.7"))))),
      to: egress.set, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "tunnels")
    #expect(changes == [])
  }

  @Test("for what a tunnel holds, which nft lists though it cannot load it")
  func tunnelledSources() throws {
    let table = Table(family: .inet, name: "golden")
    let inside = NamedSet("inside", in: table, key: [.ipv4Address, .ipv4Address])
    let inside6 = NamedSet("inside6", in: table, key: [.ipv6Address, .ipv6Address])
    let tunnel = Chain("tunnel", in: table)
    var all = Transaction()
    all.add(table)
    for set in [inside, inside6] { all.add(set) }
    all.add(tunnel)
    all.append(
      Rule(
        [
          .family(.v4),
          .fields(
            .source(.v4), .tunnelledSourceNetwork(try Prefix(length: 24, family: .v4)),
            areIn: inside),
        ], .verdict(.return)), to: tunnel)
    all.append(
      Rule(
        [
          .family(.v6),
          .fields(
            .source(.v6), .tunnelledSourceNetwork(try Prefix(length: 64, family: .v6)),
            areIn: inside6),
        ], .verdict(.return)), to: tunnel)
    let text = try FreshNamespace.run {
      try NetlinkSocket<NetfilterFamily>().commit(all)
      return try nft(["list", "table", "inet", "golden"])
    }
    #expect(text.contains("ip saddr . @th,336,32 & 0xffffff00"), "\(text)")
    #expect(text.contains("ip6 saddr . @th,304,128"), "\(text)")
  }
}
