import Addressing
import Linux
import Netlink
import Nftables
import TestSupport
import Testing

/// What keeps senders on bridges and links to what they may say.
extension GoldenTests {
  @Test("for a check of senders on bridges")
  func spoofCheck() throws {
    let table = Table(family: .bridge, name: "golden")
    let checked = NamedSet("checked", in: table, key: [.interfaceName])
    let allowed = NamedSet("allowed", in: table, key: [.interfaceName, .hardwareAddress])
    let chain = Chain(
      "prerouting", in: table, hook: Hook(.filter, at: .prerouting, priority: .bridgeDestinationNAT)
    )
    let port = try InterfaceName("veth6fd94d50")

    var all = Transaction()
    all.add(table)
    all.add(checked)
    all.add(allowed)
    all.add(chain)
    all.append(
      Rule(
        [
          .fields(.inputName, areIn: checked),
          .fields(.inputName, .hardwareSource, areNotIn: allowed),
        ],
        .verdict(.drop)), to: chain)
    all.add(Element(ElementKey(.interface(port))), to: checked, ifThere: .refused)
    let address = try HardwareAddress("0a:58:0a:01:02:03")
    all.add(
      Element(ElementKey(.interface(port), .hardwareAddress(address))), to: allowed,
      ifThere: .refused)

    let changes = try difference(listing(of: all, table), "spoof-check")
    #expect(changes == [])
  }

  @Test("for a check of what senders say about themselves")
  func sourceCheck() throws {
    let table = Table(family: .bridge, name: "golden")
    let checked = NamedSet("checked", in: table, key: [.interfaceName])
    let macs = NamedSet("macs", in: table, key: [.interfaceName, .hardwareAddress])
    let v4 = NamedSet("allowed_v4", in: table, key: [.interfaceName, .ipv4Address])
    let v6 = NamedSet("allowed_v6", in: table, key: [.interfaceName, .ipv6Address])
    let sources = Chain("sources", in: table)
    let entry = Chain(
      "entry", in: table, hook: Hook(.filter, at: .prerouting, priority: .bridgeDestinationNAT))

    var all = Transaction()
    all.add(table)
    for set in [checked, macs, v4, v6] { all.add(set) }
    for chain in [sources, entry] { all.add(chain) }
    let rules: [([Match], Verdict)] = [
      (
        [.frame(carries: .arp), .fields(.inputName, .arpHardwareSource, areNotIn: macs)], .drop
      ),
      ([.frame(carries: .arp), .fields(.inputName, .arpSource, areIn: v4)], .return),
      ([.frame(carries: .arp), .arpSourceIsNone], .return),
      ([.frame(carries: .ipv4), .destinationPort(68, of: .udp)], .drop),
      ([.frame(carries: .ipv4), .fields(.inputName, .source(.v4), areIn: v4)], .return),
      (
        [
          .frame(carries: .ipv4), .source(isIn: try Subnet("0.0.0.0/32")),
          .destinationPort(67, of: .udp),
        ], .return
      ),
      ([.frame(carries: .ipv6), .neighbour(.routerAdvertisement)], .drop),
      ([.frame(carries: .ipv6), .fields(.inputName, .source(.v6), areIn: v6)], .return),
      ([], .drop),
    ]
    for (matches, verdict) in rules { all.append(Rule(matches, .verdict(verdict)), to: sources) }
    all.append(
      Rule([.fields(.inputName, areIn: checked)], .verdict(.jump(to: "sources"))), to: entry)
    let port = ElementKey.Part.interface(try InterfaceName("veth6fd94d50"))
    let address = ElementKey.Part.hardwareAddress(try HardwareAddress("0a:58:0a:01:02:03"))
    for (key, set) in [
      (ElementKey(port), checked), (ElementKey(port, address), macs),
      (ElementKey(port, .address(try IPAddress("10.1.2.3"))), v4),
      (ElementKey(port, .address(try IPAddress("fd00:1::3"))), v6),
    ] {
      all.add(Element(key), to: set, ifThere: .refused)
    }

    let changes = try difference(listing(of: all, table), "source-check")
    #expect(changes == [])
  }

  @Test("for packets that go from link to link")
  func forward() throws {
    let table = Table(family: .inet, name: "golden")
    let bridges = NamedSet("bridges", in: table, key: [.interfaceName])
    let within = NamedSet("within", in: table, key: [.interfaceName, .interfaceName])
    let pods = NamedSet("pods", in: table, key: [.ipv4Address])
    let admin = Chain("CNI-ADMIN", in: table)
    let refuse = Chain("refuse", in: table)
    let forward = Chain(
      "forward", in: table, hook: Hook(.filter, at: .forward, priority: .filter))
    let bridge = try InterfaceName("cni0")

    var all = Transaction()
    all.add(table)
    for set in [bridges, within, pods] { all.add(set) }
    for chain in [admin, refuse, forward] { all.add(chain) }
    all.append(Rule([], .reject(.prohibited)), to: refuse)
    all.append(
      Rule(
        [
          .fields(.inputName, areIn: bridges), .fields(.outputName, areIn: bridges),
          .fields(.inputName, .outputName, areNotIn: within),
        ], .verdict(.drop), comment: "between bridges"), to: forward)
    all.append(Rule([], .verdict(.jump(to: admin.name))), to: forward)
    all.append(
      Rule(
        [
          .family(.v4), .fields(.destination(.v4), areIn: pods),
          .connection([.established, .related]),
        ], .verdict(.accept)), to: forward)
    all.add(Element(ElementKey(.interface(bridge))), to: bridges, ifThere: .refused)
    all.add(
      Element(ElementKey(.interface(bridge), .interface(bridge))), to: within, ifThere: .refused)

    let changes = try difference(listing(of: all, table), "forward")
    #expect(changes == [])
  }
}
