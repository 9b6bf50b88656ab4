import Addressing
import CNI
import Plumbing
import TestSupport
import Testing
import Witness

@Suite("Masquerading", .needsRoot)
struct MasqueradeTests {
  @Test("makes one element for the pod and one for its own subnet, and no rule")
  func elements() throws {
    let (before, now, after) = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      let before = try nftablesRules().count
      try Masquerade.add(for: .pod("two"), addresses: [.v4(3), .v6(3)])
      return (before, try nftablesRules().count, try PodState())
    }
    #expect(before == now)
    #expect(after.sources == ["10.1.2.2", "10.1.2.3", "fd00::2", "fd00::3"])
    let subnets = ["10.1.2.2 10.1.2.0", "10.1.2.3 10.1.2.0", "fd00::2 fd00::", "fd00::3 fd00::"]
    #expect(after.ownSubnets == subnets)
    #expect(after.owners == ["10.1.2.2/24 fd00::2/64", "10.1.2.3/24 fd00::3/64"])
  }

  @Test("takes all of a pod away and nothing of others")
  func removal() throws {
    let after = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      try Masquerade.add(for: .pod("two"), addresses: [.v4(3), .v6(3)])
      try Masquerade.remove(for: .pod("one"))
      return try PodState()
    }
    #expect(after.sources == ["10.1.2.3", "fd00::3"])
    #expect(after.ownSubnets == ["10.1.2.3 10.1.2.0", "fd00::3 fd00::"])
    #expect(after.owners == ["10.1.2.3/24 fd00::3/64"])
  }

  @Test("changes nothing when done again")
  func again() throws {
    let (once, twice) = try FreshNamespace.run {
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      let once = try PodState()
      try Masquerade.add(for: .pod("one"), addresses: [.v4(2), .v6(2)])
      return (once, try PodState())
    }
    #expect(once == twice)
  }
}
