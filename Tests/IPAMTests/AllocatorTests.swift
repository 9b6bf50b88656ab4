import Addressing
import IPAM
import Testing

@Suite("An allocator")
struct AllocatorTests {
  let four: RangeSet
  let six: RangeSet
  let allocator: AddressAllocator
  let pod: LeaseOwner
  var store = MemoryLeaseStore()

  init() throws {
    four = try RangeSet([AddressRange(subnet: Subnet("10.0.0.0/29"))])
    six = try RangeSet([AddressRange(subnet: Subnet("fd00::/126"))])
    allocator = AddressAllocator(sets: [four, six])
    pod = try #require(LeaseOwner(container: "pod", interface: "eth0"))
  }

  private func owner(_ name: String) throws -> LeaseOwner {
    try #require(LeaseOwner(container: name, interface: "eth0"))
  }

  @Test("gives one address of each set")
  mutating func each() throws {
    let given = try allocator.allocate(for: pod, in: &store)
    #expect(given.map(\.address.description) == ["10.0.0.2", "fd00::2"])
    #expect(given.map(\.range) == [four.ranges[0], six.ranges[0]])
  }

  @Test("gives nothing at all when one set has nothing left")
  mutating func allOrNothing() throws {
    for name in ["a", "b"] {
      _ = try AddressAllocator(sets: [six]).allocate(for: owner(name), in: &store)
    }
    let before = store.allLeases()
    #expect(throws: AllocationError.exhausted(set: 1, six)) {
      try allocator.allocate(for: pod, in: &store)
    }
    #expect(store.allLeases() == before)
  }

  @Test("refuses an owner that has an address, whatever it asks for, and changes nothing")
  mutating func second() throws {
    _ = try allocator.allocate(for: pod, in: &store)
    let before = store.allLeases()
    let refusal = AllocationError.alreadyHeld(try IPAddress("10.0.0.2"), by: pod, set: 0)
    #expect(throws: refusal) { try allocator.allocate(for: pod, in: &store) }
    #expect(throws: refusal) {
      try allocator.allocate(for: pod, requested: [IPAddress("10.0.0.5")], in: &store)
    }
    #expect(store.allLeases() == before)
    // Another interface of the container is another owner.
    let other = try #require(LeaseOwner(container: "pod", interface: "eth1"))
    #expect(throws: Never.self) { try allocator.allocate(for: other, in: &store) }
  }

  @Test("refuses an owner that an old lease names by its container alone")
  mutating func old() throws {
    let alone = try #require(LeaseOwner(container: "pod", interface: nil))
    let address = try IPAddress("10.0.0.4")
    _ = store.reserve(address, for: alone)
    #expect(throws: AllocationError.alreadyHeld(address, by: pod, set: 0)) {
      try allocator.allocate(for: pod, in: &store)
    }
    let released = try AddressAllocator.release(pod, in: &store)
    #expect(released.map(\.address) == [address])
  }

  @Test("serves wishes where they fit, and the others round robin")
  mutating func wishes() throws {
    let given = try allocator.allocate(for: pod, requested: [IPAddress("fd00::3")], in: &store)
    #expect(given.map(\.address.description) == ["10.0.0.2", "fd00::3"])
  }

  @Test("takes the first of two wishes for one set and refuses the second, every time")
  mutating func twoWishes() throws {
    let (first, second) = (try IPAddress("10.0.0.3"), try IPAddress("10.0.0.4"))
    #expect(throws: AllocationError.notInRanges([second])) {
      try allocator.allocate(for: pod, requested: [first, second], in: &store)
    }
    #expect(store.allLeases().isEmpty)
  }

  @Test("refuses wishes for the gateway, for what another has, and for what is in no range")
  mutating func badWishes() throws {
    _ = try allocator.allocate(for: owner("other"), in: &store)
    let before = store.allLeases()
    let taken = try IPAddress("10.0.0.2")
    let gateway = try IPAddress("fd00::1")
    let (outside, broadcast) = (try IPAddress("10.0.1.1"), try IPAddress("10.0.0.7"))
    #expect(throws: AllocationError.taken(taken, set: 0, four)) {
      try allocator.allocate(for: pod, requested: [taken], in: &store)
    }
    #expect(throws: AllocationError.gateway(gateway, set: 1)) {
      try allocator.allocate(for: pod, requested: [gateway], in: &store)
    }
    #expect(throws: AllocationError.notInRanges([outside, broadcast])) {
      try allocator.allocate(for: pod, requested: [outside, broadcast], in: &store)
    }
    #expect(store.allLeases() == before)
  }

  @Test("counts what is held, without the gateway")
  mutating func usage() throws {
    #expect(try allocator.usage(in: &store).map(\.held) == [0, 0])
    #expect(try allocator.usage(in: &store).map(\.capacity) == [5, 2])
    _ = try allocator.allocate(for: pod, in: &store)
    _ = try allocator.allocate(for: owner("b"), in: &store)
    // Somebody else's lease on the gateway takes nothing from the others.
    _ = store.reserve(four.ranges[0].gateway, for: try owner("gateway"))
    let usages = try allocator.usage(in: &store)
    #expect(usages.map(\.held) == [2, 2])
    #expect(usages.map(\.isFull) == [false, true])
  }

  @Test("releases what an owner holds and nothing else, and twice is as good as once")
  mutating func release() throws {
    _ = try allocator.allocate(for: pod, in: &store)
    _ = try allocator.allocate(for: owner("other"), in: &store)
    #expect(try AddressAllocator.release(pod, in: &store).count == 2)
    #expect(try AddressAllocator.release(pod, in: &store).isEmpty)
    #expect(Set(store.allLeases().map(\.owner)) == [try owner("other")])
  }

  @Test("keeps what is to be kept, and ends the rest")
  mutating func garbage() throws {
    for name in ["a", "b"] { _ = try allocator.allocate(for: owner(name), in: &store) }
    try AddressAllocator.release(unless: { $0.container == "b" }, in: &store)
    #expect(Set(store.allLeases().map(\.owner.container)) == ["b"])
  }
}
