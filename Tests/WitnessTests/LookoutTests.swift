import TestSupport
import Testing
import Witness

@Suite("A lookout over a namespace", .needsRoot)
struct LookoutTests {
  /// What comes, changes and goes, one after the other.
  static let changes = [
    "true",
    "ip link add a1 type veth peer name a2",
    "ip link set a1 master br0 up; ip link set a2 up mtu 1400",
    "ip address add 10.66.0.1/24 dev a2; ip address add fd00:66::1/64 dev a2 nodad",
    "ip address del 10.66.0.1/24 dev a2; ip address add 10.66.0.2/24 dev a2",
    "nft add element inet pods own '{ 10.7.0.0/16 }'",
    "nft add element inet pods far '{ 81 : 10.1.0.7 }'",
    "nft delete element inet pods far '{ 81 }'; nft add element inet pods far '{ 81 : 10.1.0.8 }'",
    "nft add set inet pods more '{ type mark; elements = { 7 } }'",
    "nft delete element inet pods own '{ 10.7.0.0/16 }'; ip link del a1",
    "nft delete table inet pods; ip link del br0",
  ]

  @Test("sees the same as those who look for the first time, whatever has changed in between")
  func same() async throws {
    let wrong = try await Judge.inFreshNamespace {
      try Judge.run(RouteWitnessTests.scene + "\n" + RulesetWitnessTests.scene)
      var lookout = try Witness.Lookout()
      var wrong: [String] = []
      for change in Self.changes {
        try Judge.run(change)
        // The kernel itself goes on for a moment: carrier, detection of duplicate addresses.
        let isSame = try Patience.until(.seconds(30)) {
          try lookout.seenLinks() == Witness.links()
            && lookout.seenAddresses() == Witness.addresses()
            && lookout.seenElements() == Witness.elements().filter { !$0.set.hasPrefix("__") }
        }
        if !isSame { wrong.append(change) }
      }
      return wrong
    }
    #expect(wrong == [])
  }
}
