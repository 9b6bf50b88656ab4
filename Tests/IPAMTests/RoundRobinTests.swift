import Addressing
import IPAM
import Testing

@Suite("Round robin")
struct RoundRobinTests {
  /// A row of the table that upstream's allocator is tested by.
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let subnets: [String]
    var taken: [String] = []
    var last: String?
    /// Nil when nothing is left.
    let given: String?
    var testDescription: String { name }
  }

  @Test(
    "goes on after the address given out last",
    arguments: [
      Row(name: "a fresh /29", subnets: ["10.0.0.0/29"], given: "10.0.0.2"),
      Row(name: "a fresh IPv6 network", subnets: ["2001:db8:1::/64"], given: "2001:db8:1::2"),
      Row(name: "a fresh /30", subnets: ["10.0.0.0/30"], given: "10.0.0.2"),
      Row(
        name: "the first is taken", subnets: ["10.0.0.0/29"], taken: ["10.0.0.2"],
        given: "10.0.0.3"),
      Row(name: "after the last", subnets: ["10.0.0.0/29"], last: "10.0.0.5", given: "10.0.0.6"),
      Row(
        name: "after taken ones", subnets: ["10.0.0.0/29"], taken: ["10.0.0.4", "10.0.0.5"],
        last: "10.0.0.3", given: "10.0.0.6"),
      Row(
        name: "around the end", subnets: ["10.0.0.0/29"], taken: ["10.0.0.6"], last: "10.0.0.5",
        given: "10.0.0.2"),
      Row(
        name: "the last is of another network", subnets: ["10.0.0.0/29"], taken: ["10.0.0.2"],
        last: "10.0.0.128", given: "10.0.0.3"),
      Row(
        name: "the last itself, when it is the only one", subnets: ["10.0.0.0/29"],
        taken: ["10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"], last: "10.0.0.3",
        given: "10.0.0.3"),
      Row(
        name: "two networks", subnets: ["10.0.0.0/30", "10.0.1.0/30"], given: "10.0.0.2"),
      Row(
        name: "on to the second network", subnets: ["10.0.0.0/30", "10.0.1.0/30"],
        last: "10.0.0.2", given: "10.0.1.2"),
      Row(
        name: "from the third network to the first",
        subnets: ["10.0.0.0/30", "10.0.1.0/30", "10.0.2.0/30"], last: "10.0.2.2",
        given: "10.0.0.2"),
      Row(
        name: "nothing is left", subnets: ["10.0.0.0/30"], taken: ["10.0.0.2"], given: nil),
      Row(
        name: "nothing is left in two networks", subnets: ["10.0.0.0/30", "10.0.1.0/30"],
        taken: ["10.0.0.2", "10.0.1.2"], last: "10.0.0.2", given: nil),
    ])
  func table(_ row: Row) throws {
    let set = try RangeSet(row.subnets.map { try AddressRange(subnet: Subnet($0)) })
    var store = MemoryLeaseStore()
    for text in row.taken {
      let other = try #require(LeaseOwner(container: "other", interface: text))
      let isReserved = try store.reserve(IPAddress(text), for: other)
      #expect(isReserved)
    }
    if let last = row.last { try store.rememberLastReserved(IPAddress(last), inSet: 0) }
    let owner = try #require(LeaseOwner(container: "pod", interface: "eth0"))
    let allocator = AddressAllocator(sets: [set])
    guard let given = row.given else {
      #expect(throws: AllocationError.exhausted(set: 0, set)) {
        try allocator.allocate(for: owner, in: &store)
      }
      return
    }
    let allocations = try allocator.allocate(for: owner, in: &store)
    #expect(allocations.map(\.address.description) == [given])
    #expect(store.lastReserved(inSet: 0)?.description == given)
  }

  @Test("gives out every address of a /25 once, and then none")
  func all() throws {
    let set = try RangeSet([AddressRange(subnet: Subnet("10.0.0.0/25"))])
    var store = MemoryLeaseStore()
    var seen: Set<IPAddress> = []
    for number in 0..<125 {
      let owner = try #require(LeaseOwner(container: "pod-\(number)", interface: "eth0"))
      let given = try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
      #expect(seen.insert(given[0].address).inserted)
    }
    let owner = try #require(LeaseOwner(container: "one too many", interface: "eth0"))
    let error = #expect(throws: AllocationError.self) {
      try AddressAllocator(sets: [set]).allocate(for: owner, in: &store)
    }
    #expect(
      error?.description
        == "failed to allocate for range 0: no IP addresses available in range set: "
        + "10.0.0.1-10.0.0.126")
    #expect(!seen.contains(set.ranges[0].gateway))
  }
}
