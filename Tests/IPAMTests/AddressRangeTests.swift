import Addressing
import IPAM
import Testing

@Suite("A range of addresses")
struct AddressRangeTests {
  @Test("leaves out the network, the gateway's default is the first host, and IPv4's broadcast")
  func defaults() throws {
    let four = try AddressRange(subnet: Subnet("10.1.2.0/24"))
    #expect(four.description == "10.1.2.1-10.1.2.254")
    #expect(four.gateway.description == "10.1.2.1")
    #expect(four.capacity == 253)
    let six = try AddressRange(subnet: Subnet("2001:db8::/64"))
    #expect(six.description == "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff")
    #expect(six.gateway.description == "2001:db8::1")
  }

  @Test("may be cut shorter, and its gateway may lie elsewhere")
  func limits() throws {
    let range = try AddressRange(
      subnet: Subnet("10.1.2.0/24"), first: IPAddress("10.1.2.10"), last: IPAddress("10.1.2.19"),
      gateway: IPAddress("169.254.1.1"))
    #expect(range.capacity == 10)
    #expect(try range.contains(IPAddress("10.1.2.10")))
    #expect(try !range.contains(IPAddress("10.1.2.20")))
    #expect(try !range.contains(IPAddress("::a01:20a")))
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let subnet: String
    var first: String?
    var last: String?
    var gateway: String?
    let reason: String
    var testDescription: String { reason }
  }

  @Test(
    "that no container could use is refused",
    arguments: [
      Refusal(subnet: "10.1.2.0/31", reason: "Network 10.1.2.0/31 too small to allocate from"),
      Refusal(subnet: "10.1.2.0/32", reason: "Network 10.1.2.0/32 too small to allocate from"),
      Refusal(subnet: "fd00::/127", reason: "Network fd00::/127 too small to allocate from"),
      Refusal(
        subnet: "0.0.0.0/0",
        reason: "Network 0.0.0.0/0 cannot be allocated from: it holds the address that means none"),
      Refusal(
        subnet: "127.0.0.0/8",
        reason: "Network 127.0.0.0/8 cannot be allocated from: it holds loopback addresses"),
      Refusal(
        subnet: "127.1.0.0/16",
        reason: "Network 127.1.0.0/16 cannot be allocated from: it holds loopback addresses"),
      Refusal(
        subnet: "224.0.0.0/4",
        reason: "Network 224.0.0.0/4 cannot be allocated from: it holds multicast addresses"),
      Refusal(
        subnet: "255.255.255.0/24",
        reason: "Network 255.255.255.0/24 cannot be allocated from: it holds the broadcast address"),
      Refusal(
        subnet: "::/64",
        reason: "Network ::/64 cannot be allocated from: it holds the address that means none"),
      Refusal(
        subnet: "ff02::/64",
        reason: "Network ff02::/64 cannot be allocated from: it holds multicast addresses"),
      Refusal(
        subnet: "10.1.2.0/24", first: "10.1.3.1",
        reason: "RangeStart 10.1.3.1 not in network 10.1.2.0/24"),
      Refusal(
        subnet: "10.1.2.0/24", first: "fd00::1",
        reason: "RangeStart fd00::1 not in network 10.1.2.0/24"),
      Refusal(
        subnet: "10.1.2.0/24", last: "10.1.3.1",
        reason: "RangeEnd 10.1.3.1 not in network 10.1.2.0/24"),
      Refusal(
        subnet: "10.1.2.0/24", first: "10.1.2.9", last: "10.1.2.5",
        reason: "RangeEnd 10.1.2.5 not in network 10.1.2.0/24 after RangeStart 10.1.2.9"),
      Refusal(
        subnet: "10.1.2.0/24", gateway: "fd00::1",
        reason: "gateway fd00::1 is not of the family of network 10.1.2.0/24"),
      Refusal(
        subnet: "10.1.2.0/24", gateway: "224.0.0.1",
        reason: "gateway 224.0.0.1 is not a router: it is or belongs to multicast addresses"),
    ])
  func refused(_ refusal: Refusal) throws {
    let error = #expect(throws: AddressRangeError.self) {
      try AddressRange(
        subnet: Subnet(refusal.subnet), first: refusal.first.map { try IPAddress($0) },
        last: refusal.last.map { try IPAddress($0) },
        gateway: refusal.gateway.map { try IPAddress($0) })
    }
    #expect(error?.description == refusal.reason)
  }

  @Test("class E is no reason to refuse, as some clouds number their pods with it")
  func classE() throws {
    #expect(throws: Never.self) { try AddressRange(subnet: Subnet("240.10.0.0/16")) }
  }
}

@Suite("A set of ranges")
struct RangeSetTests {
  @Test("has one family, at least one range, and no address twice")
  func refused() throws {
    let low = try AddressRange(subnet: Subnet("10.0.0.0/24"), last: IPAddress("10.0.0.20"))
    let high = try AddressRange(subnet: Subnet("10.0.0.0/24"), first: IPAddress("10.0.0.21"))
    let middle = try AddressRange(
      subnet: Subnet("10.0.0.0/24"), first: IPAddress("10.0.0.20"), last: IPAddress("10.0.0.22"))
    let six = try AddressRange(subnet: Subnet("fd00::/64"))
    #expect(throws: AddressRangeError.emptySet) { try RangeSet([]) }
    #expect(throws: AddressRangeError.mixedFamilies) { try RangeSet([low, six]) }
    #expect(throws: AddressRangeError.overlap(low, middle)) { try RangeSet([low, middle]) }
    // Two runs of one subnet are no overlap.
    let set = try RangeSet([low, high])
    #expect(set.description == "10.0.0.1-10.0.0.20,10.0.0.21-10.0.0.254")
    #expect(try set.overlaps(RangeSet([middle])))
    #expect(try !set.overlaps(RangeSet([six])))
  }
}
