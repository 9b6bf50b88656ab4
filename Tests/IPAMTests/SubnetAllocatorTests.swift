import Addressing
import IPAM
import Linux
import TestSupport
import Testing

@Suite("An allocator of subnets")
struct SubnetAllocatorTests {
  private func pool(_ range: String, _ length: Int) throws -> SubnetPool {
    let range = try Subnet(range)
    return try #require(
      SubnetPool(range, partsOf: try Prefix(length: length, family: range.family)))
  }

  @Test(
    "gives each node one of its own, inside the range, never the first, until none is left",
    arguments: [("10.5.0.0/20", 24), ("fd00:5::/60", 64)])
  func gives(range: String, length: Int) throws {
    let pool = try pool(range, length)
    var store = MemorySubnetStore()
    var given: [Subnet] = []
    for number in 1...15 {
      given.append(
        try SubnetAllocator.allot(to: "node-\(number)", from: pool, besides: [], in: &store))
    }
    #expect(Set(given).count == 15)
    #expect(given.allSatisfy { pool.range.contains($0) && $0.first != pool.range.first })
    #expect(given.allSatisfy { $0.prefix.length == length })
    let error = #expect(throws: SubnetAllocator.Failure.self) {
      try SubnetAllocator.allot(to: "one-more", from: pool, besides: [], in: &store)
    }
    #expect(error == .exhausted(pool))
  }

  @Test("gives a node the same again, also when others' have come to overlap it")
  func keeps() throws {
    let pool = try pool("10.5.0.0/16", 24)
    var store = MemorySubnetStore()
    let first = try SubnetAllocator.allot(to: "a", from: pool, besides: [], in: &store)
    for taken in [[], [first]] {
      #expect(try SubnetAllocator.allot(to: "a", from: pool, besides: taken, in: &store) == first)
    }
    var other = MemorySubnetStore()
    #expect(try SubnetAllocator.allot(to: "a", from: pool, besides: [], in: &other) == first)
  }

  @Test("spares what is reserved or others', whatever its size")
  func spares() throws {
    let pool = try pool("10.5.0.0/22", 24)
    var store = MemorySubnetStore()
    let taken = [try Subnet("10.5.1.64/26"), try Subnet("10.5.2.0/23")]
    #expect(throws: SubnetAllocator.Failure.self) {
      try SubnetAllocator.allot(to: "a", from: pool, besides: taken, in: &store)
    }
    #expect(
      try SubnetAllocator.allot(
        to: "a", from: pool, besides: [taken[0], try Subnet("10.5.3.0/24")],
        in: &store
      ).description == "10.5.2.0/24")
  }

  @Test("gives another one when the range has changed, and frees the old one")
  func moves() throws {
    var store = MemorySubnetStore()
    _ = try SubnetAllocator.allot(
      to: "a", from: try pool("10.5.0.0/16", 24), besides: [], in: &store)
    let new = try SubnetAllocator.allot(
      to: "a", from: try pool("10.6.0.0/16", 25), besides: [], in: &store)
    #expect(store.claims() == [SubnetClaim(new, of: "a")])
  }

  @Test("remembers in files, one each, that nodes may share and operators may write")
  func remembers() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path("subnets")
    let pool = try pool("10.5.0.0/22", 24)
    try directory.write("subnets/10.5.1.0-24", "reserved by hand\n")
    try directory.write("subnets/notes", "nothing\n")
    var first = try DirectorySubnetStore(path)
    let a = try SubnetAllocator.allot(to: "a", from: pool, besides: [], in: &first)
    var second = try DirectorySubnetStore(path)
    let b = try SubnetAllocator.allot(to: "b", from: pool, besides: [], in: &second)
    #expect(Set([a, b].map(\.description)) == ["10.5.2.0/24", "10.5.3.0/24"])
    #expect(try SubnetAllocator.allot(to: "a", from: pool, besides: [], in: &second) == a)
    #expect(try !second.claim(SubnetClaim(a, of: "b")))
    #expect(try second.claim(SubnetClaim(b, of: "b")))
    try second.release(SubnetClaim(a, of: "b"))
    #expect(try second.claims().count == 3)
    try second.release(SubnetClaim(a, of: "a"))
    #expect(
      try Directory.entries(of: path) == ["10.5.1.0-24", "\(b.first)-24", "notes"].sorted())
  }
}
