import TestSupport
import Testing
import Witness

@Suite("A snapshot of a namespace", .needsRoot)
struct SnapshotTests {
  @Test("stays the same while nothing changes, and after what came has gone")
  func steady() async throws {
    let (before, again, after) = try await Judge.inFreshNamespace {
      try Judge.run(RouteWitnessTests.scene + "\n" + RulesetWitnessTests.scene)
      let before = try Witness.snapshot()
      let again = try Witness.snapshot()
      try Judge.run(
        """
        ip link add a1 type veth peer name a2; ip link set a1 master br0 up; ip link set a2 up
        ip link del a1
        nft add element inet pods own '{ 10.7.0.0/16 }'
        nft delete element inet pods own '{ 10.7.0.0/16 }'
        """)
      return (before, again, try Witness.snapshot())
    }
    #expect(before == again)
    #expect(Witness.difference(from: before, to: after) == [])
  }

  @Test(
    "shows what was left behind",
    arguments: [
      ("ip link add left type veth peer name right", "link left veth"),
      ("ip link set outer type bridge_slave hairpin off", "hairpin false"),
      ("ip address add 10.66.0.1/24 dev br0", "address br0 10.66.0.1/24"),
      ("ip route add 10.67.0.0/24 dev br0", "route 10.67.0.0/24 via -"),
      ("ip rule add priority 500 table 12", "rule ip4 500"),
      ("ip neighbour add 10.1.0.4 lladdr 02:00:5e:00:00:04 dev br0", "neighbour br0 10.1.0.4"),
      ("nft add table ip other", "table ip other"),
      ("nft add chain inet pods more", "chain inet pods more"),
      ("nft add set inet pods some '{ type mark; }'", "set inet pods some"),
      ("nft add element inet pods far '{ 81 : 10.1.0.7 }'", "element inet pods far 0051"),
      ("nft add rule inet pods inner accept", "rules of inet pods inner 0: immediate"),
    ])
  func leftovers(_ command: String, shows line: String) async throws {
    let (before, after) = try await Judge.inFreshNamespace {
      try Judge.run(RouteWitnessTests.scene + "\n" + RulesetWitnessTests.scene)
      let before = try Witness.snapshot()
      try Judge.run(command)
      return (before, try Witness.snapshot())
    }
    let difference = Witness.difference(from: before, to: after)
    #expect(difference.contains { $0.hasPrefix("+ ") && $0.contains(line) }, "\(difference)")
  }
}
